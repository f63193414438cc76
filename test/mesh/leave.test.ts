import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { stringify } from 'yaml'
import type { ClusterMesh } from '../../scripts/mesh/mesh.ts'
import { until } from '../../scripts/mesh/shell.ts'
import { cluster } from './cluster.ts'
import { enrolAsReadmeSays, observingEnds } from './enrol.ts'
import { openGuide, page, type Reader, titles } from './follow.ts'
import { playStory, readRecords } from './story.ts'

const { ask, leave, chart } = titles
const namespaces = ['billing', 'clinic', 'hospital']

describe(`${page}, to its end`, () => {
  let mesh: ClusterMesh
  let reader: Reader

  before(async () => {
    mesh = await cluster()
    reader = await openGuide()
  })

  it(leave, async () => {
    reader.sees(leave, 'requests work, and Waywarden hears of none of them')
    for (const namespace of namespaces)
      await reader.follow(leave, 0, {
        '-n billing': `-n ${namespace}`,
        'namespace billing': `namespace ${namespace}`,
      })
    await playsUnguarded(mesh)
    const records = await readRecords(mesh)
    expect(await playStory(mesh, 'unguarded')).to.deep.equal([])
    expect((await readRecords(mesh)).length).to.equal(records.length)
    await reader.follow(leave, 1)
    await until('the namespace to be gone', async () => {
      const found = await mesh.kubectl('get', 'namespace', 'waywarden', '--ignore-not-found')
      return found.trim() === '' ? true : undefined
    })
    expect(await playStory(mesh, 'unguarded')).to.deep.equal([])
  })

  it(chart, async () => {
    writeFileSync(join(reader.mine, 'my-values.yaml'), stringify(valuesOf(reader.mine)))
    await reader.follow(chart, 0, { '2027-01-31': observingEnds })
    reader.sees(chart, 'the same objects as in step 4')
    await mesh.kubectl('-n', 'waywarden', 'rollout', 'status', 'deployment/waywarden')
    await mesh.kubectl(
      '-n',
      'hospital',
      'wait',
      '--for=condition=Programmed',
      'gateway/waypoint',
      '--timeout=2m',
    )
    await reader.follow(ask, 0)
    for (const namespace of namespaces) await enrolAsReadmeSays(mesh, namespace)
    await until('a record of an observed request', async () => {
      expect(await playStory(mesh, 'unguarded')).to.deep.equal([])
      return (await readRecords(mesh)).some(({ outcome }) => outcome === 'observed') || undefined
    })
    const upgrade = ['upgrade', 'waywarden', 'istio/helm/waywarden', '-n', 'istio-system', '--reuse-values']
    await mesh.run('helm', [...upgrade, '--set', 'observe=false'], reader.mine)
    await mesh.kubectl('-n', 'waywarden', 'rollout', 'status', 'deployment/waywarden')
    await until('every step of the story as it should be', async () => {
      const problems = await playStory(mesh, 'enforced')
      if (problems.length > 0) throw new Error(problems.join('; '))
      return true
    })
  })

  it('leaves no command of the page unrun, and no `See:` unseen', () => {
    expect(reader.unfollowed()).to.deep.equal([])
  })
})

async function playsUnguarded(mesh: ClusterMesh): Promise<void> {
  await until('every request as without Waywarden', async () => {
    const problems = await playStory(mesh, 'unguarded')
    if (problems.length > 0) throw new Error(problems.join('; '))
    return true
  })
}

/** `my-values.yaml`: the image, and the policy repository as the chart wants it. */
function valuesOf(mine: string): object {
  const root = join(mine, 'policies')
  const policies = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'kustomization.yaml')
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((path) => [path.slice(root.length + 1), readFileSync(path, 'utf8')] as const)
  return { image: { repository: 'registry.example/waywarden' }, policies: Object.fromEntries(policies) }
}

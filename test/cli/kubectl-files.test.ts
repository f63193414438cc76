import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { stringify } from 'yaml'
import { healthyCluster, toKubectlJson } from '../support/healthy-cluster.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

type Save = readonly [name: string, save: (json: string) => string | Uint8Array]

/** How people save what kubectl prints, and what it is saved as. */
const saves: readonly Save[] = [
  ['JSON', (json) => json],
  ['YAML', (json) => stringify(JSON.parse(json))],
  [
    'manifests with `---`',
    (json) =>
      itemsOf(json)
        .map((item) => `---\n${stringify(item)}`)
        .join(''),
  ],
  [
    'JSON lines',
    (json) =>
      itemsOf(json)
        .map((item) => JSON.stringify(item))
        .join('\n'),
  ],
  ['an array', (json) => JSON.stringify(itemsOf(json))],
  ['one list for each kind, without kinds of items', (json) => rawLists(json)],
  ['UTF-8 with a byte order mark', (json) => `\ufeff${json}`],
  ['UTF-16 from PowerShell', (json) => Buffer.from(`\ufeff${json.replaceAll('\n', '\r\n')}`, 'utf16le')],
  ['YAML in UTF-16', (json) => Buffer.from(`\ufeff${stringify(JSON.parse(json))}`, 'utf16le')],
  ['warnings and JSON', (json) => `Warning: policy/v1beta1 is deprecated\n${json}`],
]

describe('cli/kubectl-files', () => {
  let cluster: string
  let drafted: string

  before(async () => {
    cluster = toKubectlJson(healthyCluster())
    drafted = (await run(['catalog', 'scaffold'], cluster)).out
    expect(drafted).to.include('- name: ')
  })

  for (const [name, save] of saves) {
    it(`reads ${name} for a scaffold and for the doctor, from stdin and from a file`, async () => {
      const saved = save(cluster)
      const file = join(temporaryDirectory(), 'saved')
      await writeFile(file, saved)
      for (const [path, stdin] of [
        ['-', saved],
        [file, ''],
      ] as const) {
        expect(await run(['catalog', 'scaffold', path], stdin)).to.deep.equal({
          code: 0,
          out: drafted,
          err: '',
        })
        const { code, out, err } = await run(['doctor', '--kubectl', path, '--policies', 'policies'], stdin)
        expect([code, err]).to.deep.equal([0, ''])
        expect(out).to.include('healthy: no problem was found')
      }
    })
  }

  it('says what it read when no service was in it', async () => {
    const pods = itemsOf(cluster).filter(({ kind }) => kind === 'Pod')
    const { code, err } = await run(['catalog', 'scaffold'], JSON.stringify(pods))
    expect(code).to.equal(1)
    expect(err).to.match(/^expected Services, found \d+ Pod; .*kubectl get namespaces,services,pods/)
  })

  it('says to the doctor what a table is, and prints the command', async () => {
    const { code, err } = await run(['doctor', '--kubectl', '-'], 'NAME   TYPE\na      ClusterIP\n')
    expect(code).to.equal(2)
    expect(err).to.match(/a table; add `-o json`.*kubectl get namespaces,services/s)
  })
})

function itemsOf(json: string): readonly { readonly kind: string }[] {
  return JSON.parse(json).items
}

function rawLists(json: string): string {
  const items = itemsOf(json)
  const kinds = [...new Set(items.map(({ kind }) => kind))]
  return kinds
    .map((kind) => {
      const ofKind = items.filter((item) => item.kind === kind).map(({ kind: _, ...item }) => item)
      return JSON.stringify({ kind: `${kind}List`, apiVersion: 'v1', metadata: {}, items: ofKind })
    })
    .join('\n')
}

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseCatalog } from '../../src/policy/catalog/catalog.ts'
import { kubectlJson } from '../support/cluster.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

const cluster = kubectlJson(
  [{ name: 'insurance' }, { name: 'records', namespace: 'clinic', spec: { clusterIP: '10.96.0.11' } }],
  [{ app: 'insurance' }, { app: 'records', namespace: 'clinic' }],
)

describe('cli/catalog', () => {
  it('drafts services.yaml from standard input', async () => {
    const { code, out, err } = await run(['catalog', 'scaffold'], cluster)
    expect([code, err]).to.deep.equal([0, ''])
    const catalog = parseCatalog(out)
    expect(
      'services' in catalog ? catalog.services.map(({ spiffeId }) => spiffeId.uri) : catalog,
    ).to.deep.equal([
      'spiffe://cluster.local/ns/hospital/sa/insurance',
      'spiffe://cluster.local/ns/clinic/sa/records',
    ])
  })

  it('drafts it from a file, for one namespace of another trust domain', async () => {
    const file = join(temporaryDirectory(), 'cluster.json')
    await writeFile(file, cluster)
    const options = ['--trust-domain', 'hospital.example', '--namespace', 'clinic']
    const { code, out } = await run(['catalog', 'scaffold', file, ...options])
    expect(code).to.equal(0)
    expect(out).to.include('spiffe://hospital.example/ns/clinic/sa/records').and.not.include('insurance')
  })

  const failures: readonly {
    readonly name: string
    readonly argv: readonly string[]
    readonly stdin: string
    readonly code: number
  }[] = [
    { name: 'a cluster without services', argv: [], stdin: kubectlJson([]), code: 1 },
    { name: 'what kubectl did not print', argv: [], stdin: 'error: no cluster', code: 1 },
    { name: 'a file that is not there', argv: ['absent/cluster.json'], stdin: '', code: 1 },
    { name: 'a trust domain that is none', argv: ['--trust-domain', 'A/B'], stdin: cluster, code: 2 },
  ]
  for (const { name, argv, stdin, code } of failures) {
    it(`ends with ${code} for ${name}`, async () => {
      const ended = await run(['catalog', 'scaffold', ...argv], stdin)
      expect(ended.code).to.equal(code)
      expect(ended.err).not.to.equal('')
    })
  }
})

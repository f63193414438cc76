import { chmodSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  add,
  all,
  changeProvider,
  healthyCluster,
  type Mutation,
  object,
  toKubectlJson,
} from '../support/healthy-cluster.ts'
import { startTestApp } from '../support/running-app.ts'
import { settings } from '../support/settings.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { type Ended, run } from '../support/terminal.ts'

const kubectl = 'kubectl get namespaces,services,pods,configmaps,'
const withPolicies = ['--policies', 'policies']

describe('cli/doctor', () => {
  it('is satisfied with a mesh that is set up as it should be', async () => {
    const { code, out } = await doctor(undefined, withPolicies)
    expect(code).to.equal(0)
    expect(out).to.include('healthy: no problem was found')
    expect(out).to.match(/^not checked: waywarden\.yaml/m)
    expect(out).to.match(/^not checked: replicas/m)
  })

  it('prints what is wrong, where, why, and the exact change', async () => {
    const { code, out } = await doctor(
      changeProvider({ envoyExtAuthzGrpc: { failOpen: true } }),
      withPolicies,
    )
    expect(code).to.equal(1)
    expect(out).to.match(
      /^ERROR {4}fail_open {2}ConfigMap istio-system\/istio\n {2}what {3}.+\n {2}why {4}.+\n {2}fix {4}.+$/m,
    )
    expect(out).to.match(/^NOT HEALTHY: 1 error$/m)
  })

  it('prints findings for scripts, and ends with 0 when there are warnings only', async () => {
    const text = toKubectlJson(healthyCluster()).replaceAll('1.30.4', '1.30.3')
    const { code, out } = await run(['doctor', '--json', '--kubectl', '-', ...withPolicies], text)
    const { healthy, findings } = JSON.parse(out)
    expect([code, healthy]).to.deep.equal([0, true])
    expect(findings[0]).to.have.keys(['id', 'severity', 'what', 'where', 'why', 'fix'])
    expect(findings[0]).to.include({ id: 'proxy_outdated', severity: 'warning' })
  })

  it('takes configuration, its overrides and catalog from the cluster', async () => {
    const services = 'services: []'
    const mounted = add(
      object('ConfigMap', 'waywarden', 'config', {
        data: { 'waywarden.yaml': settings, 'services.yaml': services },
      }),
      object('ConfigMap', 'waywarden', 'settings', { data: { WAYWARDEN__DEADLINE: '200ms' } }),
    )
    const slow = changeProvider({ envoyExtAuthzGrpc: { timeout: '200ms' } })
    const { out } = await doctor(all(mounted, slow), ['--json'])
    expect(idsOf(out)).to.include('timeout_short')
    expect(JSON.parse(out).notes.join()).to.not.include('services.yaml')
  })

  it('refuses a configuration or a catalog that cannot serve, with their problems', async () => {
    const broken = add(
      object('ConfigMap', 'waywarden', 'config', { data: { 'waywarden.yaml': 'version: 2' } }),
    )
    expect(await doctor(broken)).to.include({ code: 78, out: '' })
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'services.yaml'), 'services: [{}]')
    expect(await doctor(undefined, ['--policies', directory])).to.include({ code: 1, out: '' })
    expect(await doctor(undefined, ['--policies', join(directory, 'absent')])).to.include({
      code: 1,
      out: '',
    })
  })

  it('finds keys of identity providers that are not where the configuration says', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'waywarden.yaml'), settings)
    const { out } = await doctor(undefined, ['--json', '-c', join(directory, 'waywarden.yaml')])
    expect(idsOf(out)).to.include('jwks_unreachable')
  })

  it('runs the kubectl that is on the PATH, and shows what it runs', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'answer.json'), toKubectlJson(healthyCluster()))
    const script = `#!/bin/sh\ncase "$*" in "get namespaces,"*" --all-namespaces --output=json") exec cat ${directory}/answer.json;; esac\nexit 1\n`
    writeFileSync(join(directory, 'kubectl'), script)
    chmodSync(join(directory, 'kubectl'), 0o755)
    const { code, err } = await withPath(`${directory}:${process.env['PATH']}`, () =>
      run(['doctor', ...withPolicies]),
    )
    expect(code).to.equal(0)
    expect(err).to.include(`$ ${kubectl}`)
  })

  it('says what to run elsewhere when there is no kubectl', async () => {
    const { code, out, err } = await withPath(temporaryDirectory(), () => run(['doctor']))
    expect([code, out]).to.deep.equal([2, ''])
    expect(err).to.include(`\n  ${kubectl}`)
  })

  for (const { name, argv, stdin } of [
    { name: 'a file that is not there', argv: ['--kubectl', '/absent.json'] },
    { name: 'what kubectl never printed', argv: ['--kubectl', '-'], stdin: 'NAME READY' },
    { name: 'an address that is no URL', argv: ['--probe', 'patient-records'] },
    { name: 'a URL of another scheme', argv: ['--admin', 'https://10.0.0.1:9192'] },
  ]) {
    it(`refuses ${name}`, async () => {
      expect(await run(['doctor', ...argv], stdin)).to.include({ code: 2, out: '' })
    })
  }

  describe('with admin ports', () => {
    it('finds nothing wrong with replicas that share their keys', async () => {
      await using one = await startTestApp(temporaryDirectory())
      await using two = await startTestApp(temporaryDirectory())
      const urls = [one, two].map(({ app }) => `http://${app.addresses.admin}/`)
      const { out } = await doctor(undefined, ['--json', ...withPolicies, '--admin', ...urls])
      expect(JSON.parse(out)).to.deep.include({ healthy: true, findings: [] })
    })

    it('finds a replica with another key, one with a wrong clock and one that is gone', async () => {
      await using one = await startTestApp(temporaryDirectory())
      const stranger = await listen((path) => (path === '/readyz' ? { ready: true, reasons: [] } : otherKeys))
      const gone = 'http://127.0.0.1:1'
      const { out } = await doctor(undefined, [
        '--json',
        ...withPolicies,
        '--admin',
        `http://${one.app.addresses.admin}`,
        stranger.url,
        gone,
      ])
      stranger.server.close()
      const { findings }: { readonly findings: readonly { readonly id: string; readonly where: string }[] } =
        JSON.parse(out)
      expect(findings.map(({ id, where }) => [id, where])).to.deep.equal([
        ['replica_unreachable', gone],
        ['keys_differ', stranger.url],
        ['clock_skew', stranger.url],
      ])
    })
  })

  it('resolves the names of the catalog as this machine does', async () => {
    const directory = temporaryDirectory()
    const services = `services:
  - name: known
    addresses: [localhost:8080]
    spiffeId: spiffe://hospital.example/ns/test/sa/known
    waypoint: spiffe://hospital.example/ns/hospital/sa/waypoint
  - name: unknown
    addresses: [${'x'.repeat(64)}.example:8080]
    spiffeId: spiffe://hospital.example/ns/test/sa/unknown
    waypoint: spiffe://hospital.example/ns/hospital/sa/waypoint
`
    writeFileSync(join(directory, 'services.yaml'), services)
    const { out } = await doctor(undefined, ['--json', '--dns', '--policies', directory])
    expect(idsOf(out).filter((id) => id === 'dns_unresolved')).to.have.length(1)
  })
})

const otherKeys = {
  keys: [
    {
      kty: 'OKP',
      crv: 'Ed25519',
      x: 'jsq0H8iTAvFaOLhObTWStwAVm9KY1q8xWrKVytMj2sY',
      kid: 'other',
      alg: 'EdDSA',
    },
  ],
}

async function doctor(mutate: Mutation | undefined, argv: readonly string[] = []): Promise<Ended> {
  const objects = healthyCluster()
  const file = join(temporaryDirectory(), 'kubectl.json')
  writeFileSync(file, toKubectlJson(mutate === undefined ? objects : mutate(objects)))
  return run(['doctor', '--kubectl', file, ...argv])
}

function idsOf(json: string): readonly string[] {
  const { findings }: { readonly findings: readonly { readonly id: string }[] } = JSON.parse(json)
  return findings.map(({ id }) => id)
}

/** An admin port whose clock is a minute ahead. */
async function listen(
  answer: (path: string) => object,
): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((request, response) => {
    response.setHeader('date', new Date(Date.now() + 60_000).toUTCString())
    response.end(JSON.stringify(answer(request.url ?? '')))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A string stands for a pipe, `null` for a closed server; `listen` was given a port.
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

async function withPath<T>(path: string, work: () => Promise<T>): Promise<T> {
  const before = process.env['PATH']
  process.env['PATH'] = path
  try {
    return await work()
  } finally {
    process.env['PATH'] = before
  }
}

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Config } from '../../src/config/config.ts'
import { overridingHeaders } from '../../src/decision/check/removals.ts'
import { tokenHeaders } from '../../src/decision/identity/agent-token.ts'
import { uris } from '../support/hospital.ts'
import { chainNow, type RunningApp, startTestApp, tokenNow } from '../support/running-app.ts'
import { copyPolicies } from '../support/sample-policies.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { stepWallClock } from '../support/wall-clock.ts'

const task = { method: 'POST', path: '/tasks' }
const toA = { ...task, destinationAddress: '10.96.0.4:8080' }
const toD = { ...task, destinationAddress: '10.96.0.2:8080', peer: uris.agentA }
const trace = 'a'.repeat(32)
const traceparents = ['00f067aa0ba902b7', 'b7ad6b7169203331'].map((span) => `00-${trace}-${span}-01`)

const configured = (config: Config): Config => ({
  ...config,
  ingress: { ...config.ingress, tokenCopies: ['x-copy'] },
  recovery: { trace: true, headers: ['mcp-session-id'], maxChains: 100 },
})

/** The sample policies, with headers that the insurance wants removed. */
function writePolicies(directory: string): void {
  const policies = join(directory, 'policies')
  copyPolicies(policies)
  const file = join(policies, 'services.yaml')
  const marked = '  - name: insurance\n'
  const services = readFileSync(file, 'utf8')
  expect(services).to.include(marked)
  writeFileSync(file, services.replace(marked, `${marked}    removeHeaders: [X-Tenant]\n`))
}

describe('app, the headers of a request', () => {
  let app: RunningApp

  before(async () => {
    const directory = temporaryDirectory()
    writePolicies(directory)
    // Recovery is in doubt about all that was handed out shortly before a start.
    using _before = stepWallClock(-3_600_000)
    app = await startTestApp(directory, configured)
  })
  after(() => app[Symbol.asyncDispose]())

  const heldByA = () => ({
    'actor-chain': chainNow({ aud: uris.agentA, act: undefined, par_hash: undefined }),
  })
  const codeOf = async (request: Parameters<RunningApp['ask']>[0]) => (await app.ask(request)).body?.['code']

  it('from ingress, lets no token of the user pass, wherever gateways put it', async () => {
    const token = `Bearer ${tokenNow()}`
    const names = [...tokenHeaders, 'x-copy', 'x_copy', 'x.forwarded.access.token']
    const headers = { ...Object.fromEntries(names.map((name) => [name, token])), 'x-forwarded-prefix': '/a' }
    const { kind, removeHeaders } = await app.ask({ ...toA, peer: uris.gateway, headers })
    expect(kind).to.equal('ok')
    expect(removeHeaders).to.include.members([...names, ...overridingHeaders])
    expect(removeHeaders).to.not.include('x-forwarded-prefix')
  })

  for (const name of [...tokenHeaders, 'x-copy', 'x.copy', 'proxy_authorization']) {
    it(`refuses a user's token from an agent in \`${name}\``, async () => {
      const headers = { ...heldByA(), [name]: `Bearer ${tokenNow()}` }
      expect(await codeOf({ ...toD, headers })).to.equal('token_from_agent')
    })
  }

  it("refuses a user's token from an agent in the query", async () => {
    const path = `/tasks?access_token=${tokenNow()}`
    expect(await codeOf({ ...toD, path, headers: heldByA() })).to.equal('token_from_agent')
    expect(await codeOf({ ...toD, path: '/tasks?access_token=opaque', headers: heldByA() })).to.equal(
      undefined,
    )
  })

  it('from an agent, removes what overrides the request and what a server could take for ours', async () => {
    const twins = ['actor.chain', 'x_forwarded_client_cert', 'mcp_session.id', 'x!tenant', 'x-original_url']
    const headers = { 'actor-chain': chainNow(), ...Object.fromEntries(twins.map((name) => [name, 'x'])) }
    const { kind, removeHeaders } = await app.ask({ headers })
    expect(kind).to.equal('ok')
    expect(removeHeaders).to.include.members([
      ...twins,
      ...overridingHeaders,
      'x-forwarded-prefix',
      'x-tenant',
    ])
  })

  it('finds a chain by two `traceparent` of one trace, and leaves them to the callee', async () => {
    const joined = { traceparent: traceparents.join(',') }
    const kept = await app.ask({ ...toD, headers: { ...heldByA(), ...joined } })
    expect([kept.kind, kept.removeHeaders.includes('traceparent')]).to.deep.equal(['ok', false])
    const found = await app.ask({ headers: { traceparent: traceparents[1] ?? '' } })
    expect([found.kind, found.body?.['code']]).to.deep.equal(['ok', undefined])
  })

  it('refuses a method in the query', async () => {
    const path = '/tasks?_method=DELETE'
    expect(await codeOf({ ...toD, path, headers: heldByA() })).to.equal('path_ambiguous')
    expect(await codeOf({ ...toD, headers: heldByA() })).to.equal(undefined)
    expect(await codeOf({ ...toD, path, headers: heldByA() })).to.equal('path_ambiguous')
  })

  it('knows the destination in every spelling', async () => {
    const headers = { 'actor-chain': chainNow() }
    const destinationAddress = '[::ffff:10.96.0.10]:8080'
    expect((await app.ask({ headers, destinationAddress })).kind).to.equal('ok')
  })
})

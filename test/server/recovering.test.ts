import { expect } from 'chai'
import { isProblems } from '../../src/base/model/problems.ts'
import { type Config, parseConfig } from '../../src/config/config.ts'
import type { Verdict } from '../../src/decision/check/verdict.ts'
import { createHandover, openRecovery, type Recovering } from '../../src/server/recovering.ts'
import { spiffeId } from '../support/forge.ts'
import { service, uris } from '../support/hospital.ts'
import { caller, clerk, delegated, hospital } from '../support/identities.ts'
import { mustLoad, policyFiles, servicesYaml, waypoint, workload } from '../support/policy-files.ts'
import { settings } from '../support/settings.ts'

const startedMs = 1_800_000_000_000
const holder = spiffeId(workload('records'))
const traced = ['traceparent', `00-${'a'.repeat(32)}-00f067aa0ba902b7-01`] as const
const headers = new Map([['mcp-session-id', ['s']]])

function configured(recovery: string): Config {
  const config = parseConfig('/waywarden.yaml', `${settings}recovery: ${recovery}\n`, new Map())
  if (isProblems(config)) throw new TypeError(JSON.stringify(config.problems))
  return config
}

/** Recovery beside a service that calls onward and gives its chains so long a life. */
function open(recovery: string, hopLifetime: string): Recovering {
  const routes = [{ match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' }]
  const files = policyFiles({ 'services.yaml': servicesYaml({ routes, forwards: true, hopLifetime }) })
  const revision = mustLoad(files)
  const opened = openRecovery(configured(recovery), () => revision, startedMs)
  if (opened === undefined) throw new TypeError('no recovery')
  return opened
}

describe('server/recovering', () => {
  it('opens nothing unless it is asked to', () => {
    const config = parseConfig('/waywarden.yaml', settings, new Map())
    expect(isProblems(config) || openRecovery(config, () => undefined, startedMs)).to.equal(undefined)
  })

  for (const { name, hopLifetime, seconds } of [
    { name: 'the default', hopLifetime: '1m', seconds: 300 },
    { name: "a service's own, if that is longer", hopLifetime: '30m', seconds: 1800 },
  ]) {
    it(`doubts every id after the start for one hopLifetime, ${name}, and says until when`, () => {
      const { keep, find, notices } = open('{headers: [mcp-session-id]}', hopLifetime)
      const untilMs = startedMs + (seconds + 30) * 1000
      const chain = { token: 'chain', txn: 't', actors: [], scopes: [], expiresAt: untilMs }
      keep(headers, holder, chain)
      expect(find(headers, holder, untilMs - 1)).to.include({ code: 'chain_missing' })
      expect(notices(untilMs - 1).join()).to.include(new Date(untilMs).toISOString())
      expect(find(headers, holder, untilMs)).to.equal('chain')
      expect(notices(untilMs)).to.deep.equal([])
    })
  }

  it('doubts for the longest of the lives that chains of one workload have', () => {
    const routes = [
      { match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' },
    ]
    const shared = ['30m', '10m', '20m'].map((hopLifetime, index) => ({
      name: `records-${index}`,
      addresses: [`10.0.0.${index}:80`],
      spiffeId: holder.uri,
      waypoint,
      forwards: true,
      shared: 'a test',
      hopLifetime,
      routes,
    }))
    const revision = mustLoad(
      policyFiles({
        'services.yaml': JSON.stringify({ services: shared }),
        'team/a.cedar': 'permit (principal is Agent, action, resource in Service::"records-0");',
      }),
    )
    const opened = openRecovery(configured('{headers: [mcp-session-id]}'), () => revision, startedMs)
    const untilMs = startedMs + (1800 + 30) * 1000
    opened?.keep(headers, holder, { token: 'x', txn: 't', actors: [], scopes: [], expiresAt: untilMs })
    expect(opened?.find(headers, holder, untilMs - 1)).to.include({ code: 'chain_missing' })
    expect(opened?.find(headers, holder, untilMs)).to.equal('x')
  })

  for (const { name, recovery, by, want } of [
    { name: 'the first header', recovery: '{headers: [x-one, x-two]}', by: ['x-one', 's'], want: 'chain' },
    { name: 'the second header', recovery: '{headers: [x-one, x-two]}', by: ['x-two', 's'], want: 'chain' },
    { name: 'another header', recovery: '{headers: [x-one, x-two]}', by: ['x-three', 's'], want: undefined },
    { name: 'the trace', recovery: '{trace: true}', by: traced, want: 'chain' },
    { name: 'the trace, unasked', recovery: '{headers: [x-one]}', by: traced, want: undefined },
  ] as const) {
    it(`finds ${want ?? 'nothing'} by ${name}`, () => {
      const { keep, find } = open(recovery, '1m')
      const laterMs = startedMs + 3_600_000
      const given = new Map([[by[0], [by[1]]]])
      keep(given, holder, { token: 'chain', txn: 't', actors: [], scopes: [], expiresAt: laterMs })
      expect(find(given, holder, laterMs)).to.equal(want)
    })
  }

  it('says when there is no room for all live chains', () => {
    const { keep, notices } = open('{headers: [mcp-session-id], maxChains: 1}', '1m')
    const laterMs = startedMs + 3_600_000
    for (const id of ['one', 'two'])
      keep(new Map([['mcp-session-id', [id]]]), holder, {
        token: undefined,
        expiresAt: laterMs / 1000 + 60,
      })
    expect(notices(laterMs).join()).to.match(/`maxChains` \(1\).*raise it/)
    expect(notices(laterMs + 90_000)).to.deep.equal([])
  })

  it('repeats why more than one replica is taken for safe', () => {
    const reason = 'waypoints hash by mcp-session-id'
    const { notices } = open(`{headers: [mcp-session-id], replicas: ${reason}}`, '1m')
    expect(notices(startedMs + 3_600_000).join()).to.include(reason)
  })
})

describe('what a callee is handed', () => {
  const callee = service(uris.insurance, { hopLifetimeSeconds: 60 })
  const onward = { token: 'child', jti: 'j', txn: 't', kid: 'k', parHash: 'p', expiresAt: 99 }
  const found: Verdict = {
    kind: 'verdict',
    decision: { kind: 'permission', results: [] },
    caller: caller(hospital.agentD),
    chain: delegated(clerk, [hospital.agentA], ['one', 'two']),
    service: callee,
    onward,
  }
  const nothing = { token: undefined, expiresAt: 1060 }
  for (const { name, findings, want } of [
    {
      name: 'a chain, with everyone who acts and the scopes',
      findings: found,
      want: {
        token: 'child',
        txn: 't',
        actors: [hospital.agentD, hospital.agentA],
        scopes: ['one', 'two'],
        expiresAt: 99,
      },
    },
    {
      name: 'no chain',
      findings: { ...found, chain: { kind: 'none' } as const, onward: undefined },
      want: nothing,
    },
    { name: 'no chain of a refused request', findings: { ...found, onward: undefined }, want: nothing },
    {
      name: 'nothing of a service that gets none',
      findings: { ...found, service: { ...callee, forwards: false } },
      want: undefined,
    },
    { name: 'nothing where no service is known', findings: { decision: found.decision }, want: undefined },
  ] as readonly { name: string; findings: Verdict; want: unknown }[]) {
    it(`is kept under the callee: ${name}`, () => {
      const kept: unknown[] = []
      const keep: Recovering['keep'] = (given, holder, handing) => void kept.push([given, holder, handing])
      createHandover({ keep })(headers, findings, 1_000_000)
      expect(kept).to.deep.equal(want === undefined ? [] : [[headers, callee.spiffeId, want]])
    })
  }
})

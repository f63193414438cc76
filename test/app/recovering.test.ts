import { expect } from 'chai'
import { openRecovery, type Recovering } from '../../src/app/recovering.ts'
import { type Config, isConfigProblems, parseConfig } from '../../src/config/config.ts'
import { spiffeId } from '../support/forge.ts'
import { mustLoad, policyFiles, servicesYaml, workload } from '../support/policy-files.ts'
import { settings } from '../support/settings.ts'

const startedMs = 1_800_000_000_000
const holder = spiffeId(workload('records'))
const headers = new Map([['mcp-session-id', ['s']]])

function configured(recovery: string): Config {
  const config = parseConfig('/waywarden.yaml', `${settings}recovery: ${recovery}\n`, new Map())
  if (isConfigProblems(config)) throw new TypeError(JSON.stringify(config.problems))
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

describe('app/recovering', () => {
  it('opens nothing unless it is asked to', () => {
    const config = parseConfig('/waywarden.yaml', settings, new Map())
    expect(isConfigProblems(config) || openRecovery(config, () => undefined, startedMs)).to.equal(undefined)
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

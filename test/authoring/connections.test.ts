import { expect } from 'chai'
import { lint } from '../../src/authoring/lint.ts'
import { type Situation, toMatter } from '../../src/authoring/situation.ts'
import { runPolicyTests } from '../../src/authoring/tests/policy-tests.ts'
import { isDeny } from '../../src/base/model/decision.ts'
import { findCounterfactuals } from '../../src/explain/counterfactuals.ts'
import { connectionRequest } from '../../src/policy/catalog/target.ts'
import { loadRevision } from '../../src/policy/revision/load.ts'
import { alternativesTo } from '../../src/policy/rules/other-policies.ts'
import { problemsOf } from '../support/forge.ts'
import { hospital } from '../support/identities.ts'
import { mustLoad, policyFiles, servicesYaml } from '../support/policy-files.ts'

const { agentA, agentD, agentR } = hospital
const permit = (type: string): string =>
  `permit (principal == ${type}::"${agentA.uri}", action == Action::"connect", resource == Service::"ledger");\n`

function ledgerRevision(cedar: string) {
  const chainless = [agentA.uri, agentD.uri]
  const services = servicesYaml({ name: 'ledger', routes: undefined, tcp: true, chainless })
  return mustLoad(policyFiles({ 'services.yaml': services, 'team/a.cedar': cedar }))
}

describe('authoring, of connections without HTTP', () => {
  const request = '{service: ledger, tcp: true}'
  for (const { caller, asked, want } of [
    { caller: agentA, asked: request, want: 'decision: allow' },
    { caller: agentD, asked: request, want: 'decision: deny, code: policy_denied, deniedBy: [autonomous]' },
    { caller: agentR, asked: request, want: 'decision: deny, code: chain_missing' },
    {
      caller: agentA,
      asked: '{service: ledger, method: GET, path: /}, chain: none',
      want: 'decision: deny, code: route_unknown',
    },
  ]) {
    it(`tests ${caller.path} with ${asked}: ${want}`, () => {
      const test = `tests: [{name: one, caller: '${caller.uri}', request: ${asked}, expect: {${want}}}]`
      const run = runPolicyTests(new Map([['tests/a.yaml', test]]), ledgerRevision(permit('Autonomous')))
      if (!('results' in run)) throw new TypeError(JSON.stringify(run))
      expect(run.results.flatMap(({ differences }) => differences)).to.deep.equal([])
    })
  }

  it('finds nothing wrong with a caller that is permitted to connect', () => {
    expect(lint(ledgerRevision(permit('Autonomous')))).to.deep.equal([])
  })

  for (const { name, cedar, rule } of [
    { name: 'an agent, which connects as `Autonomous`', cedar: permit('Agent'), rule: 'never-matches' },
    {
      name: 'a method, of a service that takes no HTTP',
      cedar: permit('Autonomous').replace('connect', 'GET'),
      rule: 'unknown-name',
    },
  ]) {
    it(`finds a permit that never matches: for ${name}`, () => {
      const findings = lint(ledgerRevision(permit('Autonomous') + cedar))
      expect(findings.map((finding) => finding.rule)).to.include(rule)
      expect(findings.map(({ line }) => line)).to.not.include(1)
    })
  }

  it('lets only the owner permit connections, also by the type of the resource', () => {
    const services = servicesYaml({ name: 'ledger', routes: undefined, tcp: true, owner: 'owners' })
    const cedar = permit('Autonomous').replace('resource == Service::"ledger"', 'resource is Service')
    const refused = loadRevision(policyFiles({ 'services.yaml': services, 'team/a.cedar': cedar }))
    const [only] = problemsOf(refused)
    expect(only?.message).to.include('belongs to `owners`')
  })

  it('recommends no chain to a caller that may not connect', () => {
    const alone = { subject: undefined, actors: [], scopes: [], isRecovered: false, service: 'ledger' }
    const situation: Situation = { ...alone, ...connectionRequest, caller: agentR }
    const revision = ledgerRevision(permit('Autonomous'))
    const matter = toMatter(situation, revision.catalog)
    if (isDeny(matter)) throw new TypeError(matter.reason)
    const [catalog] = findCounterfactuals(matter, revision, alternativesTo(revision))
    expect(catalog?.steps.join()).to.match(/`ledger` with `chainless: .*`Autonomous`$/)
  })
})

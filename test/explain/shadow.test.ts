import { expect } from 'chai'
import type { CheckInput } from '../../src/base/model/check-input.ts'
import { type DenyCode, deny } from '../../src/base/model/decision.ts'
import { judge } from '../../src/decision/check/judge.ts'
import { refusal, type Verdict } from '../../src/decision/check/verdict.ts'
import { compareWith, type Judgeable, toJudgeable } from '../../src/explain/shadow.ts'
import { findService, targetOf, toRequest } from '../../src/policy/catalog/target.ts'
import type { Revision } from '../../src/policy/revision/revision.ts'
import { caller, clerk, delegated, firstHop, hospital } from '../support/identities.ts'
import { mustLoad, policyFiles, servicesYaml, workload } from '../support/policy-files.ts'

const input: CheckInput = {
  sourcePrincipal: '',
  destinationAddress: '10.0.0.1:80',
  method: 'GET',
  path: '/patients/42',
  host: '',
  headers: new Map(),
  metadata: new Map(),
  tlsPeerUris: [],
}
const route = { match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' }
const live = mustLoad(policyFiles())

/** The facts of D's request for the clerk, under the live revision. */
function findings(asked: CheckInput = input): Verdict {
  const service = findService(asked, 'xfcc', live.catalog)
  const chain = delegated(clerk, [hospital.agentA])
  if ('code' in service) return refusal(service)
  const target = targetOf(service, toRequest(asked))
  const known = { kind: 'verdict', caller: caller(hospital.agentD), chain, service } as const
  if ('code' in target) return { ...known, decision: target }
  return { ...known, target, decision: judge(known.caller, chain, target, live) }
}

function judgeable(asked: CheckInput = input, overlay: Partial<Verdict> = {}): Judgeable {
  const found = toJudgeable(asked, 'xfcc', { ...findings(asked), ...overlay })
  if (found === undefined) throw new TypeError('not judgeable')
  return found
}

const withPolicies = (text: string) => mustLoad(policyFiles({ 'team/a.cedar': text }))
const withServices = (keys: object) =>
  mustLoad(policyFiles({ 'services.yaml': servicesYaml({ routes: [route], ...keys }) }))

describe('explain/shadow', () => {
  it('finds nothing between a revision and itself', () => {
    expect(compareWith(live, judgeable())).to.include({ isSame: true, service: 'records', action: 'read-it' })
  })

  const differing: readonly {
    readonly name: string
    readonly shadow: Revision
    readonly want: DenyCode
    readonly deniedBy?: readonly string[]
  }[] = [
    {
      name: 'a policy that permits fewer',
      shadow: withPolicies('permit (principal is Agent, action, resource in Service::"records");'),
      want: 'policy_denied',
      deniedBy: ['subject'],
    },
    {
      name: 'a forbid for one of two agents',
      shadow: withPolicies(
        `permit (principal, action, resource in Service::"records"); forbid (principal == Agent::"${hospital.agentA.uri}", action, resource);`,
      ),
      want: 'policy_denied',
      deniedBy: [`delegator ${hospital.agentA.uri}`],
    },
    {
      name: 'a route that is gone',
      shadow: withServices({ routes: [{ ...route, match: 'GET /people/{patientId}' }] }),
      want: 'route_unknown',
    },
    {
      name: 'a scope that a route asks for',
      shadow: withServices({ routes: [{ ...route, scope: 'records:read' }] }),
      want: 'scope_missing',
    },
    {
      name: 'a service that is no longer at the address',
      shadow: withServices({ addresses: ['10.0.0.2:80'] }),
      want: 'service_unknown',
    },
    {
      name: 'a service behind another waypoint',
      shadow: withServices({ waypoint: workload('waypoint') }),
      want: 'waypoint_unknown',
    },
  ]
  for (const { name, shadow, want, deniedBy = [] } of differing) {
    it(`finds ${name}: ${want}`, () => {
      const comparison = compareWith(shadow, judgeable())
      expect(comparison?.before.decision).to.equal('allow')
      expect(comparison?.isSame).to.equal(false)
      expect(comparison?.after).to.deep.include({ decision: want, deniedBy })
    })
  }

  it('finds what would be allowed, though the live catalog has no route for it', () => {
    const wards = withServices({ routes: [route, { match: 'GET /wards', action: 'read-it' }] })
    const comparison = compareWith(wards, judgeable({ ...input, path: '/wards' }))
    expect(comparison).to.deep.include({ isSame: false, action: 'read-it' })
    expect([comparison?.before.decision, comparison?.after.decision]).to.deep.equal([
      'route_unknown',
      'allow',
    ])
  })

  it('names no user, and of ingress not even the gateway', () => {
    const overlay = { caller: caller(hospital.gateway, true), chain: firstHop(clerk) }
    const comparison = compareWith(
      withPolicies('permit (principal is Agent, action, resource in Service::"records");'),
      judgeable(input, overlay),
    )
    expect(comparison?.caller).to.equal('ingress')
    expect(JSON.stringify(comparison)).not.to.contain('clerk')
  })

  it('says nothing when the engine could not', () => {
    const evaluate: Revision['evaluate'] = ({ role }) => {
      const principal = { type: 'User', id: 'x' }
      return { principal, role, outcome: 'unavailable', determiningPolicies: [], errors: [] }
    }
    expect(compareWith({ ...live, evaluate }, judgeable())).to.equal(undefined)
  })

  const whole = findings()
  const { chain: _unproven, ...withoutChain } = whole
  const unjudgeable: readonly { readonly name: string; readonly found: Verdict }[] = [
    { name: 'no service', found: findings({ ...input, destinationAddress: '10.9.9.9:80' }) },
    { name: 'no caller', found: refusal(deny('peer_missing', '')) },
    { name: 'an expired chain', found: { ...withoutChain, decision: deny('chain_expired', '') } },
    { name: 'a full disk', found: { ...whole, decision: deny('audit_unavailable', '') } },
    { name: 'a late answer', found: { ...whole, decision: deny('deadline_exceeded', '') } },
    { name: 'a failed engine', found: { ...whole, decision: deny('policy_unavailable', '') } },
    { name: 'a chain too deep to extend', found: { ...whole, decision: deny('chain_too_deep', '') } },
  ]
  for (const { name, found } of unjudgeable) {
    it(`passes over what no policy decided: ${name}`, () => {
      expect(toJudgeable(input, 'xfcc', found)).to.equal(undefined)
    })
  }

  it('passes over what could not be decoded', () => {
    expect(toJudgeable(deny('request_malformed', ''), 'xfcc', whole)).to.equal(undefined)
  })
})

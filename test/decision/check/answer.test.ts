import { expect } from 'chai'
import { deny } from '../../../src/base/model/decision.ts'
import { toAnswer } from '../../../src/decision/check/answer.ts'
import { refusal, type Verdict } from '../../../src/decision/check/verdict.ts'
import { caller, clerk, delegated, firstHop, hospital } from '../../support/identities.ts'

const names = {
  chain: 'actor-chain',
  userToken: ['authorization', 'x-user-token'],
  ids: [],
  unusable: () => [],
}
const reference = { decisionId: 'id', policyRevision: undefined }
const permission = { kind: 'permission', results: [] } as const
const onward = { token: 'a.b.c', jti: 'j', txn: 'txn-1', kid: 'k', parHash: undefined, expiresAt: 1 }

const rows: readonly {
  name: string
  verdict: Verdict
  set: readonly string[]
  removes: readonly string[]
  keeps: readonly string[]
}[] = [
  {
    name: 'a callee that calls onward gets its own chain in place of the old one',
    verdict: {
      kind: 'verdict',
      decision: permission,
      caller: caller(hospital.agentA),
      chain: delegated(clerk),
      onward,
    },
    set: ['actor-chain'],
    removes: ['x-http-method-override', 'x-original-url', 'x-rewrite-url'],
    keeps: ['actor-chain', 'authorization'],
  },
  {
    name: 'a callee that calls nobody gets no chain',
    verdict: {
      kind: 'verdict',
      decision: permission,
      caller: caller(hospital.agentA),
      chain: delegated(clerk),
    },
    set: [],
    removes: ['actor-chain'],
    keeps: ['authorization'],
  },
  {
    name: "the user's token and its copies stay at ingress",
    verdict: {
      kind: 'verdict',
      decision: permission,
      caller: caller(hospital.gateway, true),
      chain: firstHop(clerk),
      onward,
    },
    set: ['actor-chain'],
    removes: ['authorization', 'x-user-token'],
    keeps: [],
  },
]

describe('decision/check/answer', () => {
  for (const { name, verdict, set, removes, keeps } of rows) {
    it(name, () => {
      const answer = toAnswer(verdict, names, { reference, received: new Map(), isObserving: false })
      if (answer.kind !== 'allow') throw new TypeError('denied')
      expect(answer.setHeaders.map(([header]) => header)).to.deep.equal(set)
      expect(answer.removeHeaders).to.include.members([...removes])
      for (const header of keeps) expect(answer.removeHeaders).to.not.include(header)
    })
  }

  it('tells a refused client the code, and the reason only to the record', () => {
    const answer = toAnswer(refusal(deny('policy_denied', 'a secret reason')), names, {
      reference,
      received: new Map(),
      isObserving: false,
    })
    expect(answer).to.deep.equal({
      kind: 'deny',
      code: 'policy_denied',
      decisionId: 'id',
      txn: undefined,
      policyRevision: undefined,
    })
  })

  it('removes what a CGI-like server would take for a header of ours', () => {
    const received = new Map(
      ['actor_chain', 'x_http_method_override', 'x-original_url', 'x_other'].map((name) => [name, ['']]),
    )
    const verdict: Verdict = {
      kind: 'verdict',
      decision: permission,
      caller: caller(hospital.agentA),
      chain: delegated(clerk),
      onward,
    }
    const answer = toAnswer(verdict, names, { reference, received, isObserving: false })
    if (answer.kind !== 'allow') throw new TypeError('denied')
    expect(answer.removeHeaders).to.include.members([
      'actor_chain',
      'x_http_method_override',
      'x-original_url',
    ])
    expect(answer.removeHeaders).to.not.include('x_other')
  })

  it('removes ids that two readers could read differently', () => {
    const verdict: Verdict = {
      kind: 'verdict',
      decision: permission,
      caller: caller(hospital.agentA),
      chain: delegated(clerk),
      onward,
    }
    const answer = toAnswer(
      verdict,
      { ...names, unusable: () => ['traceparent'] },
      { reference, received: new Map(), isObserving: true },
    )
    expect(answer).to.have.property('removeHeaders').that.deep.equals(['traceparent'])
  })
})

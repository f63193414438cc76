import { expect } from 'chai'
import fc from 'fast-check'
import type { CheckInput } from '../../src/base/model/check-input.ts'
import type { OnAnswered } from '../../src/decision/check/check.ts'
import { type Comparison, compareWith, toJudgeable } from '../../src/explain/shadow.ts'
import type { Revision } from '../../src/policy/revision/revision.ts'
import { buildChecker } from '../support/built-checker.ts'
import { chainClaims, uris } from '../support/hospital.ts'
import { chainAfter } from '../support/places.ts'
import { mustLoad, policyFiles, servicesYaml } from '../support/policy-files.ts'

const route = { match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' }
const policies = [
  'permit (principal, action, resource in Service::"records");',
  'permit (principal is Agent, action, resource in Service::"records"); permit (principal == User::"hospital/clerk", action, resource in Service::"records");',
  `permit (principal, action, resource in Service::"records") when { context.chain.depth < 2 };`,
  `permit (principal, action, resource in Service::"records"); forbid (principal == Agent::"${uris.agentA}", action, resource);`,
  `permit (principal, action, resource in Service::"records") unless { resource == Patient::"1" };`,
]
const catalogs = [
  { routes: [route] },
  { routes: [{ ...route, scope: 'records:read' }] },
  { routes: [route, { match: 'GET /patients/1', action: 'read-it' }] },
  { addresses: ['10.0.0.2:80'], routes: [route] },
]
const revisions = policies.flatMap((text) =>
  catalogs.map((keys) =>
    mustLoad(policyFiles({ 'team/a.cedar': text, 'services.yaml': servicesYaml(keys) })),
  ),
)

const requests = fc.record({
  peer: fc.constantFrom(uris.agentA, uris.agentD, uris.agentR),
  subject: fc.constantFrom(
    { sub: 'clerk', groups: ['billing'] },
    { sub: 'clinician', groups: ['clinicians'] },
  ),
  actors: fc.constantFrom([], [uris.agentA], [uris.agentR, uris.agentA]),
  scope: fc.constantFrom('other', 'records:read'),
  isChained: fc.boolean(),
  path: fc.constantFrom('/patients/1', '/patients/2', '/wards', '/patients//1'),
  method: fc.constantFrom('GET', 'PUT', 'get'),
})
type Asked = typeof requests extends fc.Arbitrary<infer R> ? R : never
const anyRevision = fc.constantFrom(...revisions)

const tokens = new Map<string, string>()

/** The chain that a request brings; one of each kind is signed once. */
function tokenOf({ peer, subject: { sub, groups }, actors, scope }: Asked): string {
  const key = JSON.stringify([peer, sub, actors, scope])
  const tctx = { ...chainClaims.tctx, groups }
  const token = tokens.get(key) ?? chainAfter(peer, actors, { sub, tctx, scope })
  tokens.set(key, token)
  return token
}

/** The answer to one request and its record, from a checker with fake effects; `onAnswered` may watch. */
async function ask(revision: Revision, request: Asked, onAnswered?: OnAnswered) {
  const { check, records } = buildChecker({
    revision: () => revision,
    createDecisionId: () => 'id',
    ...(onAnswered && { onAnswered }),
  })
  const input: CheckInput = {
    sourcePrincipal: '',
    destinationAddress: '10.0.0.1:80',
    method: request.method,
    path: request.path,
    host: '',
    headers: new Map([
      ['x-forwarded-client-cert', [`By=${uris.waypoint};URI=${request.peer}`]],
      ...(request.isChained ? [['actor-chain', [tokenOf(request)]] as const] : []),
    ]),
    metadata: new Map(),
    tlsPeerUris: [],
  }
  return { answer: await check(input, 2000), records }
}

/** As `ask`, judged again by another revision. */
async function askBoth(live: Revision, shadow: Revision, request: Asked) {
  const comparisons: Comparison[] = []
  const asked = await ask(live, request, (input, _revision, found) => {
    const judgeable = toJudgeable(input, 'xfcc', found)
    const comparison = judgeable && compareWith(shadow, judgeable)
    if (comparison !== undefined) comparisons.push(comparison)
  })
  return { ...asked, comparison: comparisons[0] }
}

const runs = { numRuns: 150 }

describe('property/shadow', () => {
  it('finds no difference between a revision and itself', async () => {
    await fc.assert(
      fc.asyncProperty(anyRevision, requests, async (revision, request) => {
        const { comparison } = await askBoth(revision, revision, request)
        if (comparison !== undefined) expect(comparison).to.include({ isSame: true })
      }),
      runs,
    )
  })

  it('says what the other revision would have answered, and changes neither the answer nor its record', async () => {
    let compared = 0
    await fc.assert(
      fc.asyncProperty(anyRevision, anyRevision, requests, async (live, shadow, request) => {
        const alone = await ask(live, request)
        const { answer, records, comparison } = await askBoth(live, shadow, request)
        expect({ answer, records }).to.deep.equal(alone)
        if (comparison === undefined) return
        compared++
        const other = await ask(shadow, request)
        expect(comparison.before.decision).to.equal(codeOf(answer))
        expect(comparison.after.decision).to.equal(codeOf(other.answer))
      }),
      runs,
    )
    expect(compared).to.be.greaterThan(runs.numRuns / 4)
  })
})

function codeOf(answer: Awaited<ReturnType<typeof ask>>['answer']): string {
  return answer.kind === 'allow' ? 'allow' : answer.code
}

import { expect } from 'chai'
import fc from 'fast-check'
import { type CheckDeps, createChecker } from '../../src/check/check.ts'
import { judge } from '../../src/check/judge.ts'
import type { CheckInput } from '../../src/model/check-input.ts'
import { deny } from '../../src/model/decision.ts'
import { type Comparison, compareWith, toJudgeable } from '../../src/review/shadow.ts'
import type { Revision } from '../../src/revision/revision.ts'
import { targetOf } from '../../src/revision/target.ts'
import { caller, clerk, clinician, delegated, hospital } from '../support/identities.ts'
import { mustLoad, policyFiles, servicesYaml } from '../support/policy-files.ts'

const route = { match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' }
const policies = [
  'permit (principal, action, resource in Service::"records");',
  'permit (principal is Agent, action, resource in Service::"records"); permit (principal == User::"hospital/clerk", action, resource in Service::"records");',
  `permit (principal, action, resource in Service::"records") when { context.chain.depth < 2 };`,
  `permit (principal, action, resource in Service::"records"); forbid (principal == Agent::"${hospital.agentA.uri}", action, resource);`,
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
  peer: fc.constantFrom(hospital.agentA, hospital.agentD, hospital.agentR),
  subject: fc.constantFrom(clerk, clinician),
  actors: fc.constantFrom([], [hospital.agentA], [hospital.agentR, hospital.agentA]),
  scopes: fc.constantFrom([], ['records:read']),
  isChained: fc.boolean(),
  path: fc.constantFrom('/patients/1', '/patients/2', '/wards', '/patients//1'),
  method: fc.constantFrom('GET', 'PUT', 'get'),
})
type Asked = typeof requests extends fc.Arbitrary<infer R> ? R : never
const anyRevision = fc.constantFrom(...revisions)

/** What one request gets, and what was recorded, of a line with fake edges; `lookAgain` may watch. */
async function ask(revision: Revision, request: Asked, lookAgain?: CheckDeps['lookAgain']) {
  const records: unknown[] = []
  const chain = delegated(request.subject, request.actors, request.scopes)
  const checker = createChecker({
    header: 'actor-chain',
    peer: 'xfcc',
    identifyCaller: () => caller(request.peer),
    verifyChain: () => chain,
    verifyUserToken: () => deny('token_missing', ''),
    carriesUserToken: () => false,
    targetOf,
    judge,
    recoverChain: () => undefined,
    isObserving: () => false,
    checkRevoked: () => undefined,
    extendChain: () => deny('internal_error', 'this service calls nobody'),
    headers: { chain: 'actor-chain', userToken: [], ids: [], unusable: () => [] },
    handedOn: () => {},
    revision: () => revision,
    record: (parts) => records.push(parts) > 0,
    report: () => {},
    nowMs: () => 1000,
    elapsedMs: () => 0,
    createDecisionId: () => 'id',
    withinDeadline: (work) => work,
    maxInFlight: 1,
    ...(lookAgain && { lookAgain }),
  })
  const input: CheckInput = {
    sourcePrincipal: '',
    destinationAddress: '10.0.0.1:80',
    method: request.method,
    path: request.path,
    host: '',
    headers: request.isChained ? new Map([['actor-chain', ['good']]]) : new Map(),
    metadata: new Map(),
    tlsPeerUris: [],
  }
  return { answer: await checker.check(input, 2000), records }
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

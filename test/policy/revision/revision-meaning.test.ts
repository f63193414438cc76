import { expect } from 'chai'
import { rememberLatest } from '../../../src/base/cache/remember.ts'
import { formatProblem } from '../../../src/base/document/problem.ts'
import { isDeny, type PolicyReference, type PrincipalResult } from '../../../src/base/model/decision.ts'
import type { Query } from '../../../src/base/model/query.ts'
import { targetOf } from '../../../src/policy/catalog/target.ts'
import type { Evaluation } from '../../../src/policy/cedar/engine.ts'
import { type LoadedParts, loadParts } from '../../../src/policy/revision/load.ts'
import { createRevision } from '../../../src/policy/revision/revision.ts'
import { clerk, hospital } from '../../support/identities.ts'
import { policyFiles } from '../../support/policy-files.ts'

// One a line, so that the line names the policy.
const policies = [
  '@id("permit-a") permit (principal, action, resource in Service::"records");',
  '@id("permit-b") permit (principal, action, resource in Service::"records");',
  '@id("forbid-a") forbid (principal, action, resource in Service::"records");',
  '@id("forbid-b") forbid (principal, action, resource in Service::"records");',
].join('\n')
const lines: Readonly<Record<string, number>> = { 'permit-a': 1, 'permit-b': 2, 'forbid-a': 3, 'forbid-b': 4 }

/** A question about agent D; parts of it overlaid. */
type Asked = Partial<Pick<Query, 'principal' | 'role'>>

/** A revision whose engine gives these answers, one by one; the last one again and again. */
function askOf(...answers: readonly Evaluation[]): (asked?: Asked) => PrincipalResult {
  const left = [...answers]
  const evaluate = (): Evaluation => {
    const [next] = left.length > 1 ? left.splice(0, 1) : left
    if (next === undefined) throw new TypeError('no answer')
    return next
  }
  const engine = { version: 'fake', isReady: () => true, evaluate }
  const revision = createRevision({ ...loaded(), hasSchema: false, engine })
  const [service] = revision.catalog.services
  const target = service && targetOf(service, { method: 'GET', path: '/patients/42', isUpgrade: false })
  if (target === undefined || isDeny(target)) throw new TypeError('no target')
  const chain = { actors: [hospital.agentD], subject: clerk, scopes: [], isRecovered: false }
  const principal = { kind: 'agent', id: hospital.agentD } as const
  return (asked) =>
    revision.evaluate({ principal, role: 'caller', delegatee: undefined, chain, target, ...asked })
}

const loaded = rememberLatest((): LoadedParts => {
  const parts = loadParts(policyFiles({ 'team/a.cedar': policies }))
  if ('policies' in parts) return parts
  throw new TypeError(parts.problems.map(formatProblem).join('\n'))
})

/** The answer of an engine: policies by name, or by a name that no policy has. */
function answered(
  isAllowed: boolean,
  determining: readonly string[],
  failing: readonly string[] = [],
): Evaluation {
  return {
    kind: 'answered',
    isAllowed,
    determiningPolicies: determining.map(idOf),
    errors: failing.map((name) => ({ policyId: idOf(name), message: `${name} failed` })),
  }
}

function idOf(name: string): string {
  return `team/a.cedar#${name}`
}

describe('policy/revision/revision, what an answer of the engine means', () => {
  const rows = [
    { name: 'a permit', allowed: true, by: ['permit-a'], failing: [], want: 'permit' },
    { name: 'nothing', allowed: false, by: [], failing: [], want: 'no-permit' },
    { name: 'a forbid', allowed: false, by: ['forbid-a'], failing: [], want: 'forbid' },
    {
      name: 'a permit beside permits that failed',
      allowed: true,
      by: ['permit-a'],
      failing: ['permit-b', 'permit-b'],
      want: 'permit',
    },
    { name: 'a forbid that failed', allowed: true, by: ['permit-a'], failing: ['forbid-a'], want: 'error' },
    {
      name: 'a forbid that failed behind a permit that did',
      allowed: true,
      by: ['permit-a'],
      failing: ['permit-b', 'forbid-a'],
      want: 'error',
    },
    {
      name: 'a forbid that failed before permits that did',
      allowed: true,
      by: ['permit-a'],
      failing: ['forbid-a', 'permit-b', 'permit-b'],
      want: 'error',
    },
    {
      name: 'a forbid that failed beside one that forbids',
      allowed: false,
      by: ['forbid-b'],
      failing: ['forbid-a'],
      want: 'error',
    },
    { name: 'a forbid that failed alone', allowed: false, by: [], failing: ['forbid-a'], want: 'error' },
    {
      name: 'an unknown policy that failed',
      allowed: true,
      by: ['permit-a'],
      failing: ['permit-z'],
      want: 'error',
    },
    {
      name: 'an unknown policy that failed behind a permit that did',
      allowed: true,
      by: ['permit-a'],
      failing: ['permit-b', 'permit-z'],
      want: 'error',
    },
  ] as const
  for (const { name, allowed, by, failing, want } of rows) {
    it(`${name}: ${want}`, () => {
      const { outcome, determiningPolicies, errors } = askOf(answered(allowed, by, failing))()
      expect(outcome).to.equal(want)
      const named = (policies: readonly PolicyReference[]) => policies.map(({ id, line }) => [id, line])
      const wanted = (names: readonly string[]) => names.map((each) => [idOf(each), lines[each] ?? 0])
      expect(named(determiningPolicies)).to.deep.equal(wanted(by))
      expect(named(errors.map(({ policy }) => policy))).to.deep.equal(wanted(failing))
      expect(errors.map(({ message }) => message)).to.deep.equal(failing.map((each) => `${each} failed`))
    })
  }

  const failures = [
    { name: 'a call that the engine refuses', kind: 'refused', want: 'error' },
    { name: 'an engine that failed', kind: 'unavailable', want: 'unavailable' },
  ] as const
  for (const { name, kind, want } of failures) {
    it(`${name}: ${want}, with its reason and no policy`, () => {
      const { outcome, determiningPolicies, errors } = askOf({ kind, message: 'why' })()
      expect(outcome).to.equal(want)
      expect(determiningPolicies).to.deep.equal([])
      expect(errors).to.deep.equal([{ policy: { id: 'engine', file: '', line: 0 }, message: 'why' }])
    })
  }

  it('is taken anew from each answer to one question, whatever the last one was', () => {
    const ask = askOf(
      answered(true, ['permit-a']),
      answered(false, ['forbid-a']),
      { kind: 'unavailable', message: 'down' },
      answered(true, ['permit-a'], ['forbid-a']),
      { kind: 'refused', message: 'no' },
      answered(false, []),
      answered(true, ['permit-a']),
    )
    const outcomes = Array.from({ length: 7 }, () => ask().outcome)
    expect(outcomes).to.deep.equal([
      'permit',
      'forbid',
      'unavailable',
      'error',
      'error',
      'no-permit',
      'permit',
    ])
  })

  it('keeps its own outcome, policies and errors beside results that are equal but for these', () => {
    // Cedar gives no two of these for one question; memory must not count on that.
    const rows = [
      { allowed: true, by: ['permit-a'], failing: [] },
      { allowed: false, by: ['permit-a'], failing: [] },
      { allowed: true, by: ['permit-b'], failing: [] },
      { allowed: true, by: ['permit-a', 'permit-b'], failing: [] },
      { allowed: true, by: ['permit-a'], failing: ['permit-b'] },
      { allowed: true, by: ['permit-a'], failing: ['permit-b', 'permit-b'] },
      { allowed: true, by: ['permit-a'], failing: [] },
    ]
    const ask = askOf(...rows.map(({ allowed, by, failing }) => answered(allowed, by, failing)))
    for (const { allowed, by, failing } of rows) {
      const { outcome, determiningPolicies, errors } = ask()
      expect(outcome).to.equal(allowed ? 'permit' : 'forbid')
      expect(determiningPolicies.map(({ id }) => id)).to.deep.equal(by.map(idOf))
      expect(errors.map(({ policy }) => policy.id)).to.deep.equal(failing.map(idOf))
    }
  })

  it('is said of the principal and the role that were asked about, though one answer is for all', () => {
    const ask = askOf(answered(true, ['permit-a']))
    const principals = [
      { kind: 'agent', id: hospital.agentD },
      { kind: 'autonomous', id: hospital.agentD },
      { kind: 'agent', id: hospital.agentA },
      { kind: 'user', subject: clerk },
    ] as const
    const types = ['Agent', 'Autonomous', 'Agent', 'User']
    const tokens = [hospital.agentD.uri, hospital.agentD.uri, hospital.agentA.uri, 'hospital/clerk']
    const roles = ['caller', 'delegator', 'subject', 'autonomous'] as const
    // Twice, so that the second results come from memory.
    for (const role of [...roles, ...roles]) {
      const found = principals.map((principal) => ask({ principal, role }))
      expect(found.map(({ principal }) => principal.type)).to.deep.equal(types)
      expect(found.map(({ principal }) => principal.id)).to.deep.equal(tokens)
      expect(found.map((result) => result.role)).to.deep.equal(principals.map(() => role))
    }
  })
})

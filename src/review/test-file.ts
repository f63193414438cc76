import * as v from 'valibot'
import type { DenyCode, Role } from '../model/decision.ts'
import { denyCodes } from '../model/decision.ts'
import { isInvalid } from '../model/invalid.ts'
import { parseSpiffeId, type SpiffeId } from '../model/spiffe-id.ts'
import type { Problem } from '../revision/problem.ts'
import { parseYaml } from '../revision/yaml-document.ts'
import type { Situation } from './situation.ts'

/** One case that the policies must decide as their author says. */
export type PolicyTest = {
  readonly file: string
  readonly line: number
  readonly name: string
  readonly situation: Situation
  readonly expected: Expectation
}

/** What must come out; what is left out may be anything. */
export type Expectation = {
  readonly decision: 'allow' | 'deny'
  readonly code?: DenyCode | undefined
  /** All who refuse, in the order caller, delegators, subject. */
  readonly deniedBy?: readonly ExpectedRefusal[] | undefined
  /** Ids of all determining policies, of whatever principal. */
  readonly policies?: readonly string[] | undefined
}

/** Who refuses, and when it is said by which policies. */
export type ExpectedRefusal = {
  readonly role: Role
  readonly principal?: string | undefined
  readonly policies?: readonly string[] | undefined
}

const text = v.pipe(v.string(), v.nonEmpty('expected text'))
const role = v.picklist(['caller', 'delegator', 'subject', 'autonomous'])
const refusal = v.union([
  v.pipe(
    role,
    v.transform((name): ExpectedRefusal => ({ role: name })),
  ),
  v.strictObject({ role, principal: v.optional(text), policies: v.optional(v.array(text)) }),
])
const subject = v.strictObject({ id: text, groups: v.optional(v.array(text)) })
const chain = v.union([
  v.literal('none'),
  v.strictObject({
    subject: v.optional(text),
    groups: v.optional(v.array(text)),
    actors: v.optional(v.array(text)),
    scopes: v.optional(v.array(text)),
    recovered: v.optional(v.boolean()),
  }),
])
const parts = {
  name: text,
  caller: v.optional(text),
  chain: v.optional(chain),
  request: v.optional(
    v.strictObject({
      service: v.optional(text),
      method: v.optional(text),
      path: v.optional(text),
      upgrade: v.optional(v.boolean()),
    }),
  ),
  expect: v.optional(
    v.strictObject({
      decision: v.optional(v.picklist(['allow', 'deny'])),
      code: v.optional(v.picklist(denyCodes)),
      deniedBy: v.optional(v.array(refusal)),
      policies: v.optional(v.array(text)),
    }),
  ),
}
const caseSchema = v.strictObject(parts)
const fileSchema = v.strictObject({
  agents: v.optional(v.record(text, text), {}),
  subjects: v.optional(v.record(text, subject), {}),
  tests: v.array(v.strictObject({ ...parts, cases: v.optional(v.pipe(v.array(caseSchema), v.nonEmpty())) })),
})

type Case = v.InferOutput<typeof caseSchema>
type Names = Pick<v.InferOutput<typeof fileSchema>, 'agents' | 'subjects'>

/** Parses one file of tests; what a case leaves out it takes from the test that it stands in. */
export function parseTestFile(file: string, source: string): readonly PolicyTest[] | readonly Problem[] {
  const parsed = parseYaml(file, source, fileSchema)
  if (!('value' in parsed)) return parsed
  const { tests: entries, ...names } = parsed.value
  const tests: PolicyTest[] = []
  const problems: Problem[] = []
  const take = (whole: Case, path: readonly PropertyKey[]) => {
    const line = parsed.lineOf(path)
    const test = toTest(whole, names)
    if (typeof test === 'string') problems.push({ file, line, message: `test \`${whole.name}\`: ${test}` })
    else tests.push({ file, line, name: whole.name, ...test })
  }
  for (const [index, { cases, ...test }] of entries.entries()) {
    if (cases === undefined) take(test, ['tests', index])
    for (const [number, part] of (cases ?? []).entries()) {
      take(overlay(test, part), ['tests', index, 'cases', number])
    }
  }
  return problems.length > 0 ? problems : tests
}

/** Whether a file of tests was refused. */
export function isProblems(parsed: readonly PolicyTest[] | readonly Problem[]): parsed is readonly Problem[] {
  return parsed.some((item) => 'message' in item)
}

function overlay(test: Case, part: Case): Case {
  const below = test.chain === 'none' ? {} : test.chain
  const above = part.chain === undefined ? {} : part.chain
  return {
    name: `${test.name}: ${part.name}`,
    caller: part.caller ?? test.caller,
    chain: part.chain === undefined ? test.chain : above === 'none' ? 'none' : { ...below, ...above },
    request: { ...test.request, ...part.request },
    expect: { ...test.expect, ...part.expect },
  }
}

/** The test, or what it lacks. */
function toTest(whole: Case, names: Names): Pick<PolicyTest, 'situation' | 'expected'> | string {
  const { request = {}, expect = {} } = whole
  const { service, method, path } = request
  if (whole.caller === undefined) return 'expected a `caller`: an agent, or `ingress`'
  if (whole.chain === undefined) return 'expected a `chain`, or `chain: none`'
  if (service === undefined || method === undefined || path === undefined) {
    return 'expected a `request` with `service`, `method` and `path`'
  }
  const { decision } = expect
  if (decision === undefined) return 'expected `expect: {decision: allow}` or `deny`'
  const who = toWho(whole.caller, whole.chain, names)
  if (typeof who === 'string') return who
  const isUpgrade = request.upgrade === true
  const deniedBy = expect.deniedBy?.map((refusing) => resolveRefusal(refusing, names))
  return {
    situation: { ...who, service, method, path, isUpgrade },
    expected: { ...expect, decision, deniedBy },
  }
}

function toWho(
  caller: string,
  given: NonNullable<Case['chain']>,
  names: Names,
): Pick<Situation, 'caller' | 'subject' | 'actors' | 'scopes' | 'isRecovered'> | string {
  const id = caller === 'ingress' ? 'ingress' : toAgent(caller, names)
  if (id === undefined) return unknownAgent(caller)
  if (given === 'none') return { caller: id, subject: undefined, actors: [], scopes: [], isRecovered: false }
  const known = names.subjects[given.subject ?? '']
  const [, issuerName, user] = /^([^/]+)\/(.+)$/.exec(known?.id ?? given.subject ?? '') ?? []
  if (issuerName === undefined || user === undefined) {
    return 'expected `chain.subject`: a name of `subjects`, or `issuer/id`'
  }
  const actors: SpiffeId[] = []
  for (const name of given.actors ?? []) {
    const actor = toAgent(name, names)
    if (actor === undefined) return unknownAgent(name)
    actors.push(actor)
  }
  const groups = given.groups ?? known?.groups ?? []
  const { scopes = [], recovered = false } = given
  return { caller: id, subject: { issuerName, id: user, groups }, actors, scopes, isRecovered: recovered }
}

function toAgent(name: string, { agents }: Names): SpiffeId | undefined {
  const id = parseSpiffeId(agents[name] ?? name)
  return isInvalid(id) ? undefined : id
}

function unknownAgent(name: string): string {
  return `\`${name}\` is neither a name of \`agents\` nor a SPIFFE ID`
}

function resolveRefusal(refusing: ExpectedRefusal, { agents, subjects }: Names): ExpectedRefusal {
  const name = refusing.principal
  if (name === undefined) return refusing
  return { ...refusing, principal: agents[name] ?? subjects[name]?.id ?? name }
}

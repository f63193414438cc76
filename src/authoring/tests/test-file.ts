import * as v from 'valibot'
import { type Problem, parseYaml } from '../../base/document/problem.ts'
import { about, choice, flag, list, parsed, recordOf, someOf, text } from '../../base/document/values.ts'
import type { Path } from '../../base/document/yaml.ts'
import type { DenyCode, Role } from '../../base/model/decision.ts'
import { denyCodes } from '../../base/model/decision.ts'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import { isProblems, type Problems } from '../../base/model/problems.ts'
import { parseSpiffeId, type SpiffeId } from '../../base/model/spiffe-id.ts'
import { hintFor } from '../../base/text/did-you-mean.ts'
import { show } from '../../base/text/show.ts'
import { connectionRequest } from '../../policy/catalog/target.ts'
import type { Situation } from '../situation.ts'

/** One case with its expected decision. */
export type PolicyTest = {
  readonly file: string
  readonly line: number
  readonly name: string
  readonly situation: Situation
  readonly expected: Expectation
}

/** The expected result; omitted parts can be anything. */
export type Expectation = {
  readonly decision: 'allow' | 'deny'
  readonly code?: DenyCode | undefined
  /** All who are refused, in the order caller, delegators, subject. */
  readonly deniedBy?: readonly ExpectedRefusal[] | undefined
  /** The ids of all determining policies of all principals. */
  readonly policies?: readonly string[] | undefined
}

/** A refused principal, and optionally the responsible policies. */
export type ExpectedRefusal = {
  readonly role: Role
  readonly principal?: string | undefined
  readonly policies?: readonly string[] | undefined
}

const spiffeId = parsed(parseSpiffeId, 'spiffe://hospital.example/ns/billing/sa/agent-a')
const role = choice('caller', 'delegator', 'subject', 'autonomous')
const refusal = v.union([
  v.pipe(
    role,
    v.transform((name): ExpectedRefusal => ({ role: name })),
  ),
  v.strictObject({ role, principal: v.optional(text), policies: v.optional(list(text)) }),
])
const subject = v.strictObject({ id: text, groups: v.optional(list(text)) })
const chain = v.union([
  v.literal('none'),
  v.strictObject({
    subject: v.optional(text),
    groups: v.optional(list(text)),
    actors: v.optional(list(text)),
    scopes: v.optional(list(text)),
    recovered: v.optional(flag),
  }),
])
const parts = {
  name: about(text, 'what the test shows'),
  caller: v.optional(text),
  chain: v.optional(chain),
  request: v.optional(
    v.strictObject({
      service: v.optional(text),
      method: v.optional(text),
      path: v.optional(text),
      upgrade: v.optional(flag),
      tcp: v.optional(flag),
    }),
  ),
  expect: v.optional(
    v.strictObject({
      decision: v.optional(choice('allow', 'deny')),
      code: v.optional(choice(...denyCodes)),
      deniedBy: v.optional(list(refusal)),
      policies: v.optional(list(text)),
    }),
  ),
}
const caseSchema = v.strictObject(parts)
const fileSchema = v.strictObject({
  agents: v.optional(recordOf(spiffeId), {}),
  subjects: v.optional(recordOf(subject), {}),
  tests: about(
    list(v.strictObject({ ...parts, cases: v.optional(someOf(caseSchema, 'at least one case')) })),
    'a list of tests, each with `name`, `caller`, `chain`, `request` and `expect`',
  ),
})

const missingDecision = invalid('`expect`: `decision` missing; add it: `expect: {decision: allow}` or `deny`')

type Case = v.InferOutput<typeof caseSchema>
type Names = Pick<v.InferOutput<typeof fileSchema>, 'agents' | 'subjects'>

/** Parses one test file. A case inherits omitted parts from its test. */
export function parseTestFile(file: string, source: string): readonly PolicyTest[] | Problems<Problem> {
  const parsed = parseYaml(file, source, fileSchema)
  if (isProblems(parsed)) return parsed
  const { tests: entries, ...names } = parsed.value
  const tests: PolicyTest[] = []
  const problems: Problem[] = []
  const take = (whole: Case, path: Path) => {
    const line = parsed.lineOf(path)
    const test = toTest(whole, names)
    if (isInvalid(test)) problems.push({ file, line, message: `test \`${whole.name}\`: ${test.reason}` })
    else tests.push({ file, line, name: whole.name, ...test })
  }
  for (const [index, { cases, ...test }] of entries.entries()) {
    if (cases === undefined) take(test, ['tests', index])
    for (const [number, part] of (cases ?? []).entries()) {
      take(overlay(test, part), ['tests', index, 'cases', number])
    }
  }
  return problems.length > 0 ? { kind: 'problems', problems } : tests
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

/** Returns the test, or the parts that it lacks. */
function toTest(whole: Case, names: Names): Pick<PolicyTest, 'situation' | 'expected'> | Invalid {
  const { request = {}, expect = {} } = whole
  if (request.tcp === true) return toConnectionTest(whole, names)
  const { service, method, path } = request
  if (whole.caller === undefined)
    return invalid('`caller`: missing; add it: a name of `agents`, a SPIFFE ID, or `ingress`')
  if (whole.chain === undefined)
    return invalid('`chain`: missing; add it, such as `{subject: hospital/clerk}`, or write `chain: none`')
  if (service === undefined || method === undefined || path === undefined) {
    const missing = Object.entries({ service, method, path }).filter(([, value]) => value === undefined)
    return invalid(
      `\`request\`: ${missing.map(([key]) => `\`${key}\``).join(' and ')} missing; add it, such as \`{service: insurance, method: GET, path: /coverage/7}\``,
    )
  }
  const { decision } = expect
  if (decision === undefined) return missingDecision
  const who = toWho(whole.caller, whole.chain, names)
  if (isInvalid(who)) return who
  const isUpgrade = request.upgrade === true
  const deniedBy = expect.deniedBy?.map((refusing) => resolveRefusal(refusing, names))
  return {
    situation: { ...who, service, method, path, isUpgrade },
    expected: { ...expect, decision, deniedBy },
  }
}

/** A connection has neither a request nor a chain; only its caller is judged. */
function toConnectionTest(
  { caller, chain: given = 'none', request = {}, expect = {} }: Case,
  names: Names,
): Pick<PolicyTest, 'situation' | 'expected'> | Invalid {
  const { service, method, path, upgrade } = request
  if (service === undefined || [method, path, upgrade].some((value) => value !== undefined))
    return invalid(
      '`request`: expected `{service: ledger, tcp: true}` and nothing else, because a connection has no method and no path',
    )
  if (given !== 'none') return invalid('`chain`: a connection carries none; remove it')
  if (caller === undefined || caller === 'ingress')
    return invalid('`caller`: expected a name of `agents`, or a SPIFFE ID, because the caller is judged')
  const { decision } = expect
  if (decision === undefined) return missingDecision
  const who = toWho(caller, 'none', names)
  if (isInvalid(who)) return who
  const deniedBy = expect.deniedBy?.map((refusing) => resolveRefusal(refusing, names))
  return {
    situation: { ...who, service, ...connectionRequest },
    expected: { ...expect, decision, deniedBy },
  }
}

function toWho(
  caller: string,
  given: NonNullable<Case['chain']>,
  names: Names,
): Pick<Situation, 'caller' | 'subject' | 'actors' | 'scopes' | 'isRecovered'> | Invalid {
  const id = caller === 'ingress' ? 'ingress' : toAgent(caller, names)
  if (id === undefined) return unknownAgent('caller', caller, names)
  if (given === 'none') return { caller: id, subject: undefined, actors: [], scopes: [], isRecovered: false }
  const known = names.subjects[given.subject ?? '']
  const [, issuerName, user] = /^([^/]+)\/(.+)$/.exec(known?.id ?? given.subject ?? '') ?? []
  if (issuerName === undefined || user === undefined)
    return invalid(
      known === undefined
        ? `\`chain.subject\`: expected a name of \`subjects\`, or \`issuer/id\`, found ${show(given.subject)}; ${hintFor(given.subject ?? '', Object.keys(names.subjects))}`
        : `\`subjects.${given.subject}.id\`: expected \`issuer/id\`, such as \`hospital/clerk\`, found ${show(known.id)}`,
    )
  const actors: SpiffeId[] = []
  for (const name of given.actors ?? []) {
    const actor = toAgent(name, names)
    if (actor === undefined) return unknownAgent('chain.actors', name, names)
    actors.push(actor)
  }
  const groups = given.groups ?? known?.groups ?? []
  const { scopes = [], recovered = false } = given
  return { caller: id, subject: { issuerName, id: user, groups }, actors, scopes, isRecovered: recovered }
}

function toAgent(name: string, { agents }: Names): SpiffeId | undefined {
  const known = agents[name]
  if (known !== undefined) return known
  const id = parseSpiffeId(name)
  return isInvalid(id) ? undefined : id
}

function unknownAgent(key: string, name: string, { agents }: Names): Invalid {
  const expected =
    key === 'caller' ? 'a name of `agents`, a SPIFFE ID, or `ingress`' : 'a name of `agents`, or a SPIFFE ID'
  const known = [...Object.keys(agents), ...(key === 'caller' ? ['ingress'] : [])]
  return invalid(`\`${key}\`: expected ${expected}, found ${show(name)}; ${hintFor(name, known)}`)
}

function resolveRefusal(refusing: ExpectedRefusal, { agents, subjects }: Names): ExpectedRefusal {
  const name = refusing.principal
  if (name === undefined) return refusing
  return { ...refusing, principal: agents[name]?.uri ?? subjects[name]?.id ?? name }
}

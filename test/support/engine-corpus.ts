import type { PrincipalResult } from '../../src/base/model/decision.ts'
import type { Principal, Query } from '../../src/base/model/query.ts'
import { parseSpiffeId, type SpiffeId } from '../../src/base/model/spiffe-id.ts'
import type { Revision } from '../../src/policy/revision/revision.ts'
import { mustLoad, policyFiles, servicesYaml, workload } from './policy-files.ts'

/** One policy text, why it is in the corpus, and everything that the engine says about it. */
export type EngineCase = {
  readonly name: string
  readonly why: string
  readonly policy: string
  readonly decisions: readonly EngineDecision[]
}

/** Principal, action, resource and context, with the expected answer. */
type EngineDecision = {
  readonly who: string
  readonly what: string
  readonly when: string
  readonly outcome: PrincipalResult['outcome']
  readonly determining: readonly string[]
  readonly erring: readonly string[]
}

const all = 'principal, action, resource is Patient in Service::"records"'
const asCaller = `@id("p")\npermit (${all}) when { context.role == "caller" && `

/** The questions of the corpus: a policy text for each part of Cedar that an answer can hang on. */
export const engineTexts: readonly Omit<EngineCase, 'decisions'>[] = [
  {
    name: 'equality',
    why: 'a scope that names one agent',
    policy: `@id("p")\npermit (principal == Agent::"${workload('a')}", action, resource in Service::"records");\n`,
  },
  {
    name: 'namespace',
    why: 'a scope that names a family of agents',
    policy:
      '@id("p")\npermit (principal in Namespace::"hospital.example/test", action, resource in Service::"records");\n',
  },
  {
    name: 'type-and-group',
    why: '`is` and `in` together',
    policy:
      '@id("p")\npermit (principal is User in Group::"hospital/clinicians", action, resource in Service::"records");\n',
  },
  {
    name: 'forbid-overrides',
    why: 'a forbid beats any permit; `unless`',
    policy: `@id("p")\npermit (${all});\n@id("f")\nforbid (principal is User, action, resource) unless { principal in Group::"hospital/clinicians" };\n`,
  },
  {
    name: 'action-group',
    why: 'an action in its group',
    policy: '@id("p")\npermit (principal, action in Action::"reading", resource in Service::"records");\n',
  },
  {
    name: 'action-set',
    why: 'a scope with a list of actions',
    policy:
      '@id("p")\npermit (principal, action in [Action::"write-it", Action::"read-it"], resource in Service::"records");\n',
  },
  {
    name: 'has',
    why: 'an optional attribute, there and not there',
    policy: `${asCaller}resource has vip && resource.vip };\n`,
  },
  {
    name: 'erring-forbid',
    why: 'a forbid that errs',
    policy: `@id("p")\npermit (${all});\n@id("f")\nforbid (${all}) when { context.chain.depth * 9223372036854775807 > 9 };\n`,
  },
  {
    name: 'overflow',
    why: 'integers that overflow err',
    policy: `${asCaller}context.chain.depth * 9223372036854775807 > 9 };\n`,
  },
  {
    name: 'short-circuit',
    why: 'what is not reached does not err',
    policy: `${asCaller}(context.http.method == "GET" || context.chain.depth * 9223372036854775807 > 9) };\n`,
  },
  {
    name: 'if-then-else',
    why: 'only the branch taken is evaluated',
    policy: `${asCaller}(if context.http.method == "GET" then true else context.chain.depth * 9223372036854775807 < 9) };\n`,
  },
  {
    name: 'like',
    why: 'wildcards, and a star that is a star',
    policy: `${asCaller}(context.http.path like "/patients/*2" || context.http.path like "*\\*") };\n`,
  },
  {
    name: 'sets',
    why: 'contains, containsAll, containsAny, and equality of sets',
    policy: `${asCaller}resource has notes && resource.notes.containsAny(["x", "y"]) && resource.notes.contains("x") && !resource.notes.containsAll(["x", "q"]) && resource.notes == ["y", "x", "x"] };\n`,
  },
  {
    name: 'addresses',
    why: 'the extension type for IP addresses',
    policy: `${asCaller}resource has address && resource.address.isInRange(ip("10.0.0.0/8")) };\n`,
  },
  {
    name: 'decimals',
    why: 'the extension type for decimals',
    policy: `${asCaller}resource has weight && resource.weight.greaterThan(decimal("70.4999")) };\n`,
  },
  {
    name: 'times',
    why: 'the extension types for times',
    policy: `${asCaller}resource has born && resource.born < datetime("2000-01-01") && resource.born.offset(duration("1d")).toTime() == duration("0ms") };\n`,
  },
  {
    name: 'tags',
    why: 'tags, there and not there',
    policy: `${asCaller}resource has age && resource.hasTag("ward") && resource.getTag("ward") == "α" };\n`,
  },
  {
    name: 'hierarchy',
    why: 'a resource with ancestors of the operator',
    policy: '@id("p")\npermit (principal, action, resource in Ward::"7");\n',
  },
  {
    name: 'unicode',
    why: 'texts are compared by code points, neither folded nor normalized',
    policy: `${asCaller}context has params && context.params has patientId && context.params.patientId == "α\\"\\\\\\u{1f3e5}" };\n`,
  },
  {
    name: 'chain',
    why: 'what the chain says',
    policy: `${asCaller}context.chain.depth == 2 && context.chain.scopes.contains("read") && context has delegatee && context.delegatee == Agent::"${workload('b')}" };\n`,
  },
  {
    name: 'arithmetic',
    why: 'precedence and negative numbers',
    policy: `${asCaller}resource has age && 2 + resource.age * -1 == -40 && -resource.age < 0 - 41 };\n`,
  },
]

const schema = `entity Ward;
entity Patient in [Service, Ward] = {age?: Long, vip?: Bool, notes?: Set<String>, address?: ipaddr, weight?: decimal, born?: datetime} tags String;
action "reading";
action "read-it" in ["reading"] appliesTo {principal: [Agent, User, Autonomous], resource: [Patient, Service], context: RequestContext};
action "write-it" appliesTo {principal: [Agent, User, Autonomous], resource: [Patient, Service], context: RequestContext};
`
const extension = (fn: string, arg: string) => ({ __extn: { fn, arg } })
const entities = [
  {
    uid: { type: 'Patient', id: '42' },
    attrs: {
      age: 42,
      vip: true,
      notes: ['x', 'y'],
      address: extension('ip', '10.1.2.3'),
      weight: extension('decimal', '70.5'),
      born: extension('datetime', '1984-02-29'),
    },
    parents: [{ type: 'Ward', id: '7' }],
    tags: { ward: 'α' },
  },
  { uid: { type: 'Patient', id: '43' }, attrs: { age: 1, vip: false }, parents: [] },
  { uid: { type: 'Ward', id: '7' }, attrs: {}, parents: [] },
]

const idOf = (name: string): SpiffeId => {
  const id = parseSpiffeId(name)
  if ('kind' in id) throw new TypeError(id.reason)
  return id
}
const user = (id: string, group: string): Principal => {
  return {
    kind: 'user',
    subject: { issuerName: 'hospital', issuer: 'https://idp.hospital.example', id, groups: [group] },
  }
}
const whos: Readonly<Record<string, Principal>> = {
  a: { kind: 'agent', id: idOf(workload('a')) },
  elsewhere: { kind: 'agent', id: idOf('spiffe://hospital.example/ns/other/sa/a') },
  clerk: user('clerk', 'billing'),
  doctor: user('doctor', 'clinicians'),
  alone: { kind: 'autonomous', id: idOf(workload('a')) },
}
const roles = { agent: 'caller', user: 'subject', autonomous: 'autonomous' } as const
const whats = ['42', '43', 'α"\\\u{1f3e5}']
const whens: Readonly<Record<string, { action: string; method: string; path: string; isLong: boolean }>> = {
  read: { action: 'read-it', method: 'GET', path: '/patients/42', isLong: true },
  write: { action: 'write-it', method: 'POST', path: '/patients/*', isLong: false },
}

/** Asks the engine everything about one text. */
export function askEngine({ name, why, policy }: Omit<EngineCase, 'decisions'>): EngineCase {
  const routes = ['GET', 'POST'].map((method) => ({
    match: `${method} /patients/{patientId}`,
    action: method === 'GET' ? 'read-it' : 'write-it',
    resource: 'Patient::{patientId}',
  }))
  const revision = mustLoad(
    policyFiles({
      'services.yaml': servicesYaml({ routes }),
      'schema.cedarschema': schema,
      'entities.json': JSON.stringify(entities),
      'team/a.cedar': policy.replaceAll('@id(', '@blanket("corpus")\n@id('),
    }),
  )
  const decisions = Object.keys(whos).flatMap((who) =>
    whats.flatMap((what) => Object.keys(whens).map((when) => decide(revision, who, what, when))),
  )
  return { name, why, policy, decisions }
}

function decide(revision: Revision, who: string, what: string, when: string): EngineDecision {
  const { outcome, determiningPolicies, errors } = revision.evaluate(toQuery(revision, who, what, when))
  const names = (ids: readonly string[]) => ids.map((id) => id.slice(id.indexOf('#') + 1)).sort()
  return {
    who,
    what,
    when,
    outcome,
    determining: names(determiningPolicies.map(({ id }) => id)),
    erring: names(errors.map(({ policy }) => policy.id)),
  }
}

function toQuery({ catalog }: Revision, who: string, what: string, when: string): Query {
  const service = catalog.byName.get('records')
  const principal = whos[who]
  const circumstances = whens[when]
  if (service === undefined || principal === undefined || circumstances === undefined)
    throw new TypeError(`expected a known question, found ${who}, ${what}, ${when}`)
  const { action, method, path, isLong } = circumstances
  const [a, b] = [idOf(workload('a')), idOf(workload('b'))]
  return {
    principal,
    role: roles[principal.kind],
    delegatee: isLong ? b : undefined,
    chain: {
      actors: isLong ? [b, a] : [a],
      subject: undefined,
      scopes: isLong ? ['read'] : [],
      isRecovered: false,
    },
    target: {
      service,
      action: { type: 'Action', id: action },
      resource: { type: 'Patient', id: what },
      params: [{ name: 'patientId', value: what }],
      requiredScope: undefined,
      method,
      path,
    },
  }
}

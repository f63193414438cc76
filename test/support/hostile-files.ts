/** Files of a policy repository that nest or refer so deep that the engine's stack overflows, unless somebody stops them. */
export type HostileFile = {
  readonly name: string
  readonly file: string
  readonly text: string
  /** The line that a refusal names. */
  readonly line: number
}

const declared =
  'entity Patient in [Service] {x?: Set<Long>, next?: Patient};\naction "read-it" appliesTo {principal: [Agent, User, Autonomous], resource: [Patient, Service], context: RequestContext};\n'

/** `T0` refers to `T1`, and so on to the last, which refers to nothing or, in a circle, to the first. */
function line(count: number, toDeclaration: (name: string, next: string | undefined) => string): string {
  return Array.from({ length: count }, (_, index) =>
    toDeclaration(`T${index}`, index === count - 1 ? undefined : `T${index + 1}`),
  ).join('\n')
}

/** Types that contain the next one, `count` of them. */
export function nestedTypes(count: number): string {
  return line(count, (name, next) => `type ${name} = ${next === undefined ? 'Long' : `{a: ${next}}`};`)
}

/** Entity types that are in the next one; the last is in the first when they are a circle. */
export function entityLine(count: number, isCircle: boolean): string {
  return line(
    count,
    (name, next) => `entity ${name}${next === undefined && !isCircle ? '' : ` in [${next ?? 'T0'}]`};`,
  )
}

/** Actions that are in the next one. */
export function actionLine(count: number): string {
  return line(count, (name, next) => `action "${name}"${next === undefined ? '' : ` in ["${next}"]`};`)
}

/** A schema of the sample repository's own declarations and more. */
export function schemaWith(text: string): string {
  return `${declared}${text}\n`
}

/** A record within a record, and so on. */
export function deepRecord(depth: number): string {
  return `type Deep = ${'{a: '.repeat(depth)}Long${'}'.repeat(depth)};`
}

/** entities.json with one attribute that nests as deep; the list, the entity and its attributes are three levels more. */
export function deepEntity(depth: number): string {
  return `[\n{"uid": {"type": "Patient", "id": "1"}, "attrs":\n{"x": ${'['.repeat(depth)}1${']'.repeat(depth)}}, "parents": []}]`
}

/** A policy on the sample repository's service with this condition. */
export function policyWhen(condition: string): string {
  return `permit (principal, action, resource in Service::"records")\nwhen { context.role == "caller" } when {\n${condition}\n};`
}

/** Values of which each repeats the one before nine times. */
function aliasBomb(): string {
  const levels = Array.from({ length: 8 }, (_, at) => `  - &a${at + 1} [${`*a${at}, `.repeat(9)}]`)
  return ['services:', '  - &a0 [x]', ...levels].join('\n')
}

const schema = 'schema.cedarschema'
const services = 'services.yaml'
const policy = 'team/a.cedar'

/** Files that would end in a bare message of the engine, or end the process, without limits. */
export const hostileFiles: readonly HostileFile[] = [
  { name: 'a record 3,000 deep', file: schema, text: schemaWith(deepRecord(3000)), line: 3 },
  {
    name: 'a set 3,000 deep',
    file: schema,
    text: schemaWith(`type Deep = ${'Set<'.repeat(3000)}Long${'>'.repeat(3000)};`),
    line: 3,
  },
  { name: '10,000 types in a circle', file: schema, text: schemaWith(entityLine(10_000, true)), line: 3 },
  { name: '10,000 types in a line', file: schema, text: schemaWith(entityLine(10_000, false)), line: 3 },
  { name: '5,000 actions in a line', file: schema, text: schemaWith(actionLine(5000)), line: 3 },
  { name: '5,000 types within each other', file: schema, text: schemaWith(nestedTypes(5000)), line: 3 },
  {
    name: 'five megabytes of schema',
    file: schema,
    text: schemaWith('// nothing\n'.repeat(500_000)),
    line: 1,
  },
  {
    name: 'an attribute that is a list 20,000 deep',
    file: 'entities.json',
    text: deepEntity(20_000),
    line: 3,
  },
  {
    name: 'an attribute that is an object 20,000 deep',
    file: 'entities.json',
    text: deepEntity(0).replace('1}', `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`),
    line: 3,
  },
  { name: 'a list 20,000 deep', file: services, text: `services:\n  - ${'['.repeat(20_000)}`, line: 2 },
  { name: 'a map 20,000 deep', file: services, text: `services:\n  - ${'{a: '.repeat(20_000)}`, line: 2 },
  { name: '20,000 dashes', file: services, text: `services:\n  ${'- '.repeat(20_000)}`, line: 2 },
  { name: '20,000 question marks', file: services, text: `services:\n  ${'? '.repeat(20_000)}`, line: 2 },
  { name: 'aliases that multiply', file: services, text: aliasBomb(), line: 3 },
  ...[
    { name: 'parentheses', condition: `${'('.repeat(5000)}true${')'.repeat(5000)}` },
    { name: 'lists', condition: `${'['.repeat(5000)}1${']'.repeat(5000)} == [1]` },
    { name: 'records', condition: `${'{a: '.repeat(5000)}1${'}'.repeat(5000)} == {a: 1}` },
    { name: '`if`', condition: `${'if true then '.repeat(2000)}true${' else false'.repeat(2000)}` },
    { name: '`else if`', condition: `${'if false then true else '.repeat(2000)}true` },
    { name: '`&&`', condition: `${'true && '.repeat(5000)}true` },
    { name: '`||`', condition: `${'false || '.repeat(5000)}true` },
    { name: '`!`', condition: `${'!'.repeat(5000)}true` },
    { name: 'minus signs', condition: `${'-'.repeat(5000)}1 == 1` },
    { name: 'sums', condition: `${'1 + '.repeat(5000)}1 == 1` },
    { name: 'members', condition: `context${'.a'.repeat(5000)} == 1` },
    { name: 'methods', condition: `[1]${'.isEmpty()'.repeat(3000)}` },
    { name: '`has`', condition: `context has ${'a.'.repeat(5000)}a` },
  ].map(({ name, condition }) => ({
    name: `a policy with thousands of ${name}`,
    file: policy,
    text: policyWhen(condition),
    line: 3,
  })),
]

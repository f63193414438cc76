import fc from 'fast-check'
import { isActionType } from '../../src/base/model/entity-uid.ts'
import type { Kind, Names } from './drawn-world.ts'

/** How many operators a drawn condition may nest. */
const maxDepth = 2

/** Draws the text of one policy over the names of a world. */
export function drawPolicy(names: Names): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.constantFrom('permit', 'permit', 'permit', 'forbid'),
      drawScope('principal', names.principals),
      drawScope('action', names.actions),
      drawScope('resource', names.resources),
      fc.constantFrom('when', 'when', 'unless'),
      drawCondition(names),
    )
    .map(
      ([effect, principal, action, resource, kind, condition]) =>
        `${effect} (${principal}, ${action}, ${resource}) ${kind} { ${condition} };`,
    )
}

/** The constraint of a scope on a variable: nothing in two of three, so that the rest decides. */
function drawScope(
  variable: 'principal' | 'action' | 'resource',
  kinds: readonly Kind[],
): fc.Arbitrary<string> {
  const drawn = fc.constantFrom(...kinds).chain(({ type, ids, above }) => {
    const itself = fc.constantFrom(...ids)
    const group = above.length === 0 ? itself : fc.oneof(itself, fc.constantFrom(...above))
    const scopes =
      variable === 'action'
        ? [fc.array(group, { maxLength: 3 }).map((list) => `action in [${list.join(', ')}]`)]
        : [
            fc.constant(`${variable} is ${type}`),
            group.map((name) => `${variable} is ${type} in ${name}`),
            group.map((name) => `${variable} is ${type} in ${name}`),
          ]
    return fc.oneof(
      itself.map((name) => `${variable} == ${name}`),
      { weight: 3, arbitrary: group.map((name) => `${variable} in ${name}`) },
      ...scopes,
    )
  })
  return fc.oneof({ weight: 2, arbitrary: fc.constant(variable) }, drawn)
}

/** An expression for an entity, what must be asked before it, and the kinds of entities that it can be. */
type Operand = { readonly text: string; readonly guard: string; readonly kinds: readonly Kind[] }

/** The expressions that a request or entities.json fills. */
function operandsOf({ principals, actions, resources }: Names): readonly Operand[] {
  const found = (text: string, guard: string, kinds: readonly Kind[]): Operand => ({ text, guard, kinds })
  const has = (name: string) => `resource has ${name}`
  const ofType = (...types: readonly string[]) =>
    [...principals, ...resources].filter(({ type }) => types.includes(type))
  return [
    found('principal', '', ofType('Agent', 'User')),
    found('action', '', actions),
    found('resource', '', ofType('Patient', 'Lab::Sample', 'Lab::Deep::Vial', 'Site::Sample')),
    found('context.delegatee', 'context has delegatee', ofType('Agent')),
    found('context.chain.subject', 'context.chain has subject', ofType('User')),
    found('resource.doctor', has('doctor'), ofType('Agent')),
    found('resource.team', has('team'), ofType('Lab::Team')),
    found('resource.team.lead', has('team.lead'), ofType('Agent')),
    found('resource.rack', has('rack'), ofType('Site::Rack', 'Lab::Deep::Rack')),
    found('resource.getTag("shelf")', 'resource is Patient && resource.hasTag("shelf")', ofType('Lab::Rack')),
  ]
}

function drawCondition(names: Names): fc.Arbitrary<string> {
  const atom = fc.oneof({ weight: 4, arbitrary: drawTest(names) }, fc.constantFrom(...plainConditions))
  const { condition } = fc.letrec<{ condition: string }>((tie) => {
    const both = fc.tuple(tie('condition'), tie('condition'))
    return {
      condition: fc.oneof(
        { maxDepth },
        { weight: 12, arbitrary: atom },
        both.map(([left, right]) => `(${left}) && (${right})`),
        both.map(([left, right]) => `(${left}) || (${right})`),
        tie('condition').map((inner) => `!(${inner})`),
        fc.tuple(tie('condition'), both).map(([test, [yes, no]]) => `if ${test} then ${yes} else ${no}`),
      ),
    }
  })
  return condition
}

/** A test of what an entity is or lies in. */
function drawTest(names: Names): fc.Arbitrary<string> {
  const variables = operandsOf(names)
  const described = variables.filter(({ text }) => text.startsWith('resource.'))
  const kinds = [...names.principals, ...names.actions, ...names.resources]
  // Nothing is known of these but what their own names say, or the schema: they are named more often.
  const byName = kinds.filter(({ type }) => ['Agent', 'Namespace'].includes(type) || isActionType(type))
  const literal = fc
    .oneof(fc.constantFrom(...byName), fc.constantFrom(...kinds))
    .chain((kind) =>
      fc.constantFrom(...kind.ids).map((text): Operand => ({ text, guard: '', kinds: [kind] })),
    )
  const operand = fc.oneof(fc.constantFrom(...variables), fc.constantFrom(...described), literal, literal)
  return operand.chain(({ text, guard, kinds: possible }) => {
    const test = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...possible).chain((kind) => drawDescent(text, kind)) },
      fc
        .constantFrom(...variables)
        .map(({ guard: asked, text: other }) =>
          [asked, `${text} in ${other}`].filter((part) => part !== '').join(' && '),
        ),
      fc.constantFrom(`context.chain.actors.contains(${text})`, `${text} in context.chain.actors`),
    )
    return test.map((asked) => (guard === '' ? asked : `${guard} && ${asked}`))
  })
}

function drawDescent(text: string, { type, ids, above }: Kind): fc.Arbitrary<string> {
  const itself = fc.constantFrom(...ids)
  const group =
    above.length === 0 ? itself : fc.oneof(itself, { weight: 4, arbitrary: fc.constantFrom(...above) })
  return fc.oneof(
    { weight: 5, arbitrary: group.map((name) => `${text} in ${name}`) },
    fc.tuple(group, group).map((pair) => `${text} in [${pair.join(', ')}]`),
    { weight: 2, arbitrary: group.map((name) => `${text} is ${type} in ${name}`) },
    fc.constant(`${text} is ${type}`),
    itself.map((name) => `${text} == ${name}`),
    itself.map((name) => `[${text}].contains(${name})`),
  )
}

/** Conditions that look at anything else. */
const plainConditions = [
  'true',
  'true',
  'context.role == "caller"',
  'context.role == "subject"',
  'context has delegatee',
  'context.chain.depth > 1',
  'context.chain.scopes.contains("a")',
  'context.chain.recovered',
  'context.http.method == "GET"',
  'context.http.path like "*/1"',
  'context.params has id && context.params.id == "1"',
  'context.chain has subject && context.chain.subject == principal',
  '[principal].contains(resource) || (if context.role == "caller" then principal else resource) in Service::"wards"',
  'resource.floor > 1',
  'resource has vip && resource.vip',
  'resource has floor && resource.floor + 9223372036854775807 > 0',
] as const

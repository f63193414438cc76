import type { CedarValueJson, EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import { expect } from 'chai'
import fc from 'fast-check'
import type { EntityUid } from '../../src/base/model/entity-uid.ts'
import { createCedar } from '../../src/policy/cedar/cedar.ts'
import { type CorpusRequest, runCorpus } from '../cedar/cedar-corpus.ts'

/** Every type, in no namespace and in two. The same ids stand in each. */
const types = ['P', 'N::P', 'N::M::P', 'N::G', 'N::M::G']
const actionTypes = ['Action', 'N::Action', 'N::M::Action']
const ids = ['a', 'b', 'c']
const actionIds = ['x', 'y', 'z']

const uid = (type: string, id: string): EntityUid => ({ type, id })
const text = ({ type, id }: EntityUid) => `${type}::${JSON.stringify(id)}`
const draw = (from: readonly string[], names: readonly string[]) =>
  fc.tuple(fc.constantFrom(...from), fc.constantFrom(...names)).map(([type, id]) => uid(type, id))
const [thing, action] = [draw(types, ids), draw(actionTypes, actionIds)]

const scope = (variable: string, entity: fc.Arbitrary<EntityUid>) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(variable) },
    entity.map((named) => `${variable} == ${text(named)}`),
    { weight: 3, arbitrary: entity.map((named) => `${variable} in ${text(named)}`) },
    entity.map((named) => `${variable} is ${named.type} in ${text(named)}`),
  )
const actionScope = fc.oneof(
  { weight: 2, arbitrary: fc.constant('action') },
  action.map((named) => `action == ${text(named)}`),
  fc.array(action, { maxLength: 2 }).map((named) => `action in [${named.map(text).join(', ')}]`),
)
const condition = fc.oneof(
  { weight: 5, arbitrary: fc.constant('true') },
  fc
    .tuple(fc.constantFrom('principal', 'resource'), thing)
    .map(([left, right]) => `${left} in ${text(right)}`),
  action.map((right) => `action in ${text(right)}`),
  fc.tuple(thing, thing).map(([left, right]) => `${text(left)} in ${text(right)}`),
  fc.tuple(action, action).map(([left, right]) => `${text(left)} in ${text(right)}`),
  thing.map((right) => `context.who in [${text(right)}, ${text(right)}]`),
  thing.map((right) => `context has which.of && context.which.of in ${text(right)}`),
  thing.map((right) => `resource has owner && resource.owner in ${text(right)}`),
)
const policy = fc
  .tuple(
    fc.constantFrom('permit', 'permit', 'forbid'),
    scope('principal', thing),
    actionScope,
    scope('resource', thing),
    condition,
  )
  .map(
    ([effect, principal, asked, resource, test]) =>
      `${effect} (${principal}, ${asked}, ${resource}) when { ${test} };`,
  )

type Listed = EntityJson & { readonly attrs: Record<string, CedarValueJson>; readonly parents: EntityUid[] }

/** Parents have a later id, so that there is no circle. Only actions are groups of actions. */
const entities = fc
  .tuple(
    fc.array(fc.tuple(thing, thing), { maxLength: 20 }),
    fc.array(fc.tuple(action, action), { maxLength: 9 }),
    fc.array(fc.tuple(thing, thing), { maxLength: 3 }),
  )
  .map(([pairs, groups, owners]) => {
    const found = new Map<string, Listed>()
    const at = (name: EntityUid) => {
      const entity: Listed = found.get(text(name)) ?? { uid: name, attrs: {}, parents: [] }
      found.set(text(name), entity)
      return entity
    }
    for (const pair of [...pairs, ...groups]) {
      const [child, parent] = pair.toSorted((one, other) => (one.id < other.id ? -1 : 1))
      if (child === undefined || parent === undefined || child.id === parent.id) continue
      at(child).parents.push(parent)
    }
    for (const [owned, owner] of owners) at(owned).attrs['owner'] = { __entity: owner }
    return [...found.values()]
  })

const request = fc
  .record({ principal: thing, action, resource: thing, who: thing, of: thing })
  .map(({ who, of, ...asked }) => ({
    ...asked,
    name: 'drawn',
    context: { who: { __entity: who }, which: { of: { __entity: of } } },
  }))

describe('property: namespaces of principals, actions, resources and groups', () => {
  const cedar = createCedar()

  /** Cedar's reasons, errors and decision, without any cut. */
  function askCedar(
    texts: readonly string[],
    { principal, action: asked, resource, context }: Omit<CorpusRequest, 'entities'>,
    listed: EntityJson[],
  ): unknown {
    const staticPolicies = Object.fromEntries(texts.map((one, index) => [`policy${index}`, one]))
    const answer = cedar.isAuthorized({
      ...{ principal, action: asked, resource, policies: { staticPolicies }, entities: listed },
      // The corpus is Cedar's own JSON.
      context: context as Record<string, CedarValueJson>,
    })
    if (answer.type === 'failure') throw new TypeError(JSON.stringify(answer.errors))
    const { reason, errors } = answer.response.diagnostics
    return [reason.toSorted(), errors.map(({ policyId }) => policyId).sort(), answer.response.decision]
  }

  it('never change an answer: the same as Cedar gives with every policy and every entity', () => {
    const policies = fc.oneof(
      fc.array(policy, { minLength: 1, maxLength: 2 }),
      fc.array(policy, { minLength: 3, maxLength: 12 }),
    )
    fc.assert(
      fc.property(
        policies,
        fc.array(request, { minLength: 1, maxLength: 6 }),
        fc.array(entities, { minLength: 1, maxLength: 3 }),
        (texts, drawn, worlds) => {
          // The same question in several worlds: what one world rules out, another may not.
          const requests: readonly CorpusRequest[] = worlds.flatMap((listed) =>
            drawn.map((asked) => ({ ...asked, entities: listed })),
          )
          const set = {
            policies: texts.join('\n'),
            schema: undefined,
            isNamedById: false,
            shouldValidate: undefined,
          }
          const ran = runCorpus({ ...set, requests })
          if (typeof ran === 'string') throw new TypeError(ran)
          const found = ran.answers.map(({ reasons, errors, cedarDecision }) => [
            reasons,
            errors,
            cedarDecision,
          ])
          expect(found).to.deep.equal(
            worlds.flatMap((listed) => drawn.map((asked) => askCedar(texts, asked, listed))),
          )
        },
      ),
      { numRuns: 150 },
    )
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { isDeny, type PrincipalResult } from '../../src/base/model/decision.ts'
import { isProblems } from '../../src/base/model/problems.ts'
import type { Query } from '../../src/base/model/query.ts'
import { targetOf } from '../../src/policy/catalog/target.ts'
import { createCedar } from '../../src/policy/cedar/cedar.ts'
import { createEngine, createInstance, type Engine } from '../../src/policy/cedar/engine.ts'
import { parseEntities } from '../../src/policy/cedar/entities.ts'
import { readFamilies } from '../../src/policy/cedar/families.ts'
import { parsePolicies } from '../../src/policy/cedar/policies.ts'
import { needsSchema } from '../../src/policy/revision/load.ts'
import { createRevision } from '../../src/policy/revision/revision.ts'
import { drawPolicy } from '../support/drawn-policies.ts'
import {
  drawnEntities,
  homes,
  ownSchema,
  worldAgents,
  worldNames,
  worldSchema,
} from '../support/drawn-world.ts'
import { clerk, clinician, user } from '../support/identities.ts'
import { mustLoad, policyFiles, waypoint, workload } from '../support/policy-files.ts'
import { createWholeCedar, type WholeAnswer } from '../support/whole-cedar.ts'

const routes = (type: string) => [
  { match: 'GET /things/{id}', action: 'look', resource: `${type}::{id}` },
  { match: 'PUT /things/{id}', action: 'change', resource: `${type}::{id}` },
  { match: 'POST /things/{id}', action: 'freeze', resource: `${type}::{id}` },
  { match: 'GET /', action: 'ship' },
]
const resourceTypes = {
  wards: 'Patient',
  lab: 'Lab::Sample',
  deep: 'Lab::Deep::Vial',
  site: 'Site::Sample',
  rooms: 'Room',
  plain: undefined,
}
const services = Object.entries(resourceTypes).map(([name, type], index) => ({
  name,
  addresses: [`10.0.0.${index + 1}:80`],
  spiffeId: workload(name),
  waypoint,
  ...(type === undefined ? {} : { routes: routes(type) }),
}))

// One user with other groups is another subject: a group that was lost must not be remembered.
const subjects = [clerk, clinician, user('clerk'), user('clerk', 'clinicians')] as const

/** Draws a question about the services of a catalog; `undefined` when no route takes it. */
function drawQuery({ services }: ReturnType<typeof mustLoad>['catalog']): fc.Arbitrary<Query | undefined> {
  return fc
    .record({
      service: fc.constantFrom(...services),
      method: fc.constantFrom('GET', 'PUT', 'POST'),
      path: fc.constantFrom('/', '/things/1', '/things/1', '/things/1', '/things/1', '/things/2'),
      agent: fc.constantFrom(...worldAgents),
      subject: fc.option(fc.constantFrom(...subjects), { nil: undefined }),
      actors: fc.array(fc.constantFrom(...worldAgents), { maxLength: 3 }),
      scopes: fc.constantFrom([], ['a']),
      isRecovered: fc.boolean(),
      delegatee: fc.option(fc.constantFrom(...worldAgents), { nil: undefined }),
      role: fc.constantFrom('caller', 'delegator', 'subject', 'autonomous'),
    })
    .map(({ service, method, path, agent, ...rest }): Query | undefined => {
      const { subject, actors, scopes, isRecovered, delegatee, role } = rest
      const target = targetOf(service, { method, path, isUpgrade: false })
      if (isDeny(target)) return undefined
      const principal =
        role === 'subject' && subject !== undefined
          ? ({ kind: 'user', subject } as const)
          : ({ kind: role === 'autonomous' ? 'autonomous' : 'agent', id: agent } as const)
      return { principal, role, delegatee, chain: { actors, subject, scopes, isRecovered }, target } as Query
    })
}

/** An engine for each run, over two instances of Cedar: to make instances takes longer than everything else. */
function createEngines(): (hasSchema: boolean) => Engine {
  const [plain, knowing] = [undefined, worldSchema].map((schema) =>
    createEngine(schema, undefined, [createInstance(schema)]),
  )
  let run = 0
  return (hasSchema) => {
    const engine = hasSchema ? knowing : plain
    if (engine === undefined) throw new TypeError('no engine')
    run++
    const prefix = `${run} `
    return {
      ...engine,
      evaluate: (call, { key, policies }) => engine.evaluate(call, { key: `${prefix}${key}`, policies }),
    }
  }
}

describe('property: slices, footprints and memory', () => {
  it('never change an answer: the same as every policy, every entity and the whole context give', () => {
    const cedar = createCedar()
    const declared = cedar.schemaToJson(worldSchema)
    if (declared.type === 'failure') throw new TypeError(declared.errors.map(({ message }) => message).join())
    const families = readFamilies(declared.json)
    const { catalog } = mustLoad(
      policyFiles({ 'services.yaml': JSON.stringify({ services }), 'schema.cedarschema': ownSchema }),
    )
    const policy = drawPolicy(worldNames)
    const nextEngine = createEngines()
    const askWhole = createWholeCedar(cedar, worldSchema)
    fc.assert(
      fc.property(
        // Few policies read little, so that much is left out. Many policies find more of what must not be.
        fc.oneof(
          { weight: 3, arbitrary: fc.array(policy, { minLength: 1, maxLength: 2 }) },
          fc.array(policy, { minLength: 3, maxLength: 12 }),
        ),
        drawnEntities,
        fc.array(drawQuery(catalog), { minLength: 8, maxLength: 24 }),
        (texts, listed, queries) => {
          const { policies, problems } = parsePolicies(cedar, new Map([['p.cedar', texts.join('\n')]]))
          const entities = parseEntities(cedar, worldSchema, JSON.stringify(listed))
          expect(problems).to.deep.equal([])
          if (isProblems(entities))
            throw new TypeError(entities.problems.map(({ message }) => message).join())
          const hasSchema = needsSchema(entities)
          const engine = nextEngine(hasSchema)
          const parts = {
            id: 'r',
            files: new Map(),
            digest: '',
            catalog,
            policies,
            subjects: [],
            entities,
            families,
          }
          const revision = createRevision({ ...parts, hasSchema, engine })
          const askCedar = askWhole({ policies, entities: listed, homes })
          const answers = queries.flatMap((asked) => asked && { asked, whole: askCedar(asked) })
          // Twice, so that the second answers come from memory.
          for (const answer of [...answers, ...answers])
            if (answer !== undefined) compare(revision.evaluate(answer.asked), answer.whole)
        },
      ),
      { numRuns: 500 },
    )
  })
})

function compare(found: PrincipalResult, whole: WholeAnswer): void {
  expect(found.errors.filter(({ policy }) => policy.id === 'engine')).to.deep.equal([])
  expect(found.determiningPolicies.map(({ id }) => id)).to.have.members(whole.reasons)
  expect(found.errors.map(({ policy, message }) => `${policy.id}: ${message}`)).to.have.members(whole.errors)
  if (whole.errors.length === 0) expect(found.outcome === 'permit').to.equal(whole.isAllowed)
}

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SchemaJson } from '@cedar-policy/cedar-wasm/nodejs'
import { type Problem, positionAt } from '../../base/document/problem.ts'
import { areProblems } from '../../base/model/invalid.ts'
import { parseCatalog } from '../catalog/catalog.ts'
import { catalogProblems } from '../catalog/catalog-rules.ts'
import { malformedAttributes } from '../cedar/attribute-forms.ts'
import { type Cedar, createCedar, namingFile } from '../cedar/cedar.ts'
import { toCedarProblem } from '../cedar/cedar-problem.ts'
import { createEngine, createInstance, createInstanceInTurns, type Engine } from '../cedar/engine.ts'
import { type Entities, entitiesFile, parseEntities } from '../cedar/entities.ts'
import { type Families, readFamilies } from '../cedar/families.ts'
import { findJsonFault } from '../cedar/json-faults.ts'
import { malformedLiterals } from '../cedar/literal-forms.ts'
import { literalsOf, subjectsOf } from '../cedar/literals.ts'
import { type Policy, parsePolicies } from '../cedar/policies.ts'
import { productSchema } from '../cedar/product-schema.ts'
import { exceedsSchemaLimits } from '../cedar/schema-limits.ts'
import { policyProblems } from '../rules/policy-rules.ts'
import { digestFiles, type PolicyFiles } from '../source/policy-files.ts'
import { createRevision, type Revision } from './revision.ts'

const schemaFile = 'schema.cedarschema'

/** What a revision needs to know that its files do not say. */
export type LoadOptions = {
  /** For services that name no `hopLifetime` of their own. */
  readonly hopLifetimeMs?: number
  /** How many of the policies' answers are remembered. */
  readonly maxRemembered?: number
  /** The files served once: they load by the rules of their time, so that what they decided can be judged again. */
  readonly hasServed?: boolean
}

/** A policy repository without its tests, which have no part in what it means. */
export type DecidingFiles = Pick<PolicyFiles, 'id' | 'files'>

/** What a valid repository means, as plain values: they can be handed from one thread to another. */
export type LoadedParts = Pick<Revision, 'id' | 'files' | 'digest' | 'catalog' | 'policies' | 'subjects'> & {
  readonly entities: Entities
  readonly families: Families
  /** For the engine; `undefined` when it can do without. */
  readonly schema: string | undefined
}

/** Loads and validates a policy repository whole: a revision that can serve, or everything that is wrong with it. */
export function loadRevision(
  source: DecidingFiles,
  options: LoadOptions = {},
): Revision | readonly Problem[] {
  const parts = loadParts(source, options)
  return !areProblems(parts) ? assembleRevision(parts, options) : parts
}

/** Makes a revision that can be asked of parts that are known to be valid. */
export function assembleRevision(parts: LoadedParts, options: LoadOptions = {}): Revision {
  return toRevision(parts, createEngine(parts.schema, options.maxRemembered))
}

/** As `assembleRevision`, with nothing that stands by: for a revision that is only tried, and refused if the engine fails. */
export function assembleForTrial(parts: LoadedParts, options: LoadOptions): Revision {
  return toRevision(parts, createEngine(parts.schema, options.maxRemembered, [createInstance(parts.schema)]))
}

/** As `assembleRevision`, a turn of the event loop for each step, so that requests are decided meanwhile. */
export async function assembleInTurns(parts: LoadedParts, options: LoadOptions): Promise<Revision> {
  const serving = await createInstanceInTurns(parts.schema)
  const spare = await createInstanceInTurns(parts.schema)
  await nextTurn()
  return toRevision(parts, createEngine(parts.schema, options.maxRemembered, [serving, spare]))
}

/** Parses and validates a policy repository whole, without anything that could answer for it. */
export function loadParts(
  source: DecidingFiles,
  options: LoadOptions = {},
): LoadedParts | readonly Problem[] {
  const cedar = createCedar()
  const { files, id } = source
  const catalogText = files.get('services.yaml')
  if (catalogText === undefined) {
    return [
      {
        file: 'services.yaml',
        message: 'missing; it names the services that may be asked about (docs/policy-guide.md)',
      },
    ]
  }
  const catalog = parseCatalog(catalogText, options.hopLifetimeMs)
  const { policies, problems } = parsePolicies(cedar, files)
  if (areProblems(catalog)) return [...catalog, ...problems]
  const parameters = catalog.services
    .flatMap((service) => service.routes ?? [])
    .flatMap(({ route }) => route.parameters)
  // The operator's part comes first, so that Cedar's offsets are offsets into their file.
  const own = files.get(schemaFile) ?? ''
  const schema = `${own}\n${productSchema(parameters)}`
  const declared = parseSchema(cedar, own, schema)
  if ('problems' in declared) return [...problems, ...declared.problems]
  const entitiesText = files.get(entitiesFile) ?? '[]'
  const unclear = options.hasServed === true ? undefined : findJsonFault(entitiesFile, entitiesText)
  const entities = unclear === undefined ? parseEntities(cedar, schema, entitiesText) : [unclear]
  const described: Entities = !areProblems(entities) ? entities : new Map()
  const literals = literalsOf(policies, described, entitiesText)
  const found = [
    ...problems,
    ...catalogProblems(catalog, declared.schema),
    ...validate(cedar, schema, policies, files),
    ...policyProblems(policies, catalog, readFamilies(declared.schema).types),
    ...(!areProblems(entities) ? [] : entities),
    ...(options.hasServed === true ? [] : malformedLiterals(literals)),
    ...(options.hasServed === true ? [] : malformedAttributes(cedar, schema, described, entitiesText)),
  ]
  if (policies.length === 0 && catalog.services.length > 0) {
    found.push({ file: '.', message: 'expected at least one policy in a `*.cedar` file, found none' })
  }
  if (found.length > 0 || areProblems(entities)) return found
  const families = readFamilies(declared.schema)
  const digest = digestFiles(files)
  return {
    id,
    files,
    digest,
    catalog,
    policies,
    subjects: subjectsOf(literals),
    entities,
    families,
    schema: needsSchema(entities) ? schema : undefined,
  }
}

/** Whether the engine must have the schema: only with it can it read values of attributes and tags that are plain text. */
export function needsSchema(entities: Entities): boolean {
  return [...entities.values()].some(({ attrs, tags }) => Object.keys({ ...attrs, ...tags }).length > 0)
}

function toRevision({ schema, ...parts }: LoadedParts, engine: Engine): Revision {
  return createRevision({ ...parts, hasSchema: schema !== undefined, engine })
}

function parseSchema(
  cedar: Cedar,
  own: string,
  schema: string,
): { readonly schema: SchemaJson<string> } | { readonly problems: readonly Problem[] } {
  const limit = exceedsSchemaLimits(own)
  if (limit !== undefined) {
    return { problems: [{ file: schemaFile, ...positionAt(own, limit.offset), message: limit.message }] }
  }
  const answer = namingFile(schemaFile, () => cedar.schemaToJson(schema))
  if (answer.type === 'success') return { schema: answer.json }
  return {
    problems: answer.errors.map((error) =>
      toCedarProblem(error, { file: schemaFile, whole: own, part: own, offset: 0 }),
    ),
  }
}

function validate(
  cedar: Cedar,
  schema: string,
  policies: readonly Policy[],
  files: ReadonlyMap<string, string>,
): readonly Problem[] {
  const byId = new Map(policies.map((policy) => [policy.id, policy]))
  const staticPolicies = Object.fromEntries(policies.map((policy) => [policy.id, policy.text]))
  const answer = namingFile('*.cedar', () => cedar.validate({ schema, policies: { staticPolicies } }))
  if (answer.type === 'failure')
    return answer.errors.map((error) => ({ file: schemaFile, message: error.message }))
  return answer.validationErrors.map(({ policyId, error }) => {
    const policy = byId.get(policyId)
    if (policy === undefined) return { file: policyId, message: error.message }
    const { file, text } = policy
    const whole = files.get(file) ?? text
    const offset = whole.indexOf(text, offsetOfLine(whole, policy.line))
    return toCedarProblem(error, { file, whole, part: text, offset }, `policy \`${policyId}\`: `)
  })
}

function offsetOfLine(text: string, line: number): number {
  return text
    .split('\n')
    .slice(0, line - 1)
    .join('\n').length
}

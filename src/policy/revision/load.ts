import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SchemaJson } from '@cedar-policy/cedar-wasm/nodejs'
import { type Problem, positionAt } from '../../base/document/problem.ts'
import { isProblems, type Problems } from '../../base/model/problems.ts'
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
import { schemaFor } from '../cedar/product-schema.ts'
import { exceedsSchemaLimits } from '../cedar/schema-limits.ts'
import { policyProblems } from '../rules/policy-rules.ts'
import { digestFiles, type PolicyFiles } from '../source/policy-files.ts'
import { createRevision, type Revision } from './revision.ts'

const schemaFile = 'schema.cedarschema'

/** The inputs of a revision besides its files. */
export type LoadOptions = {
  /** For services without their own `hopLifetime`. */
  readonly hopLifetimeMs?: number
  /** The maximum number of cached policy answers. */
  readonly maxRemembered?: number
  /** The files served before. They load by the rules of their time, so that their decisions can be judged again. */
  readonly hasServed?: boolean
}

/** A policy repository without its tests, which do not affect its meaning. */
export type DecidingFiles = Pick<PolicyFiles, 'id' | 'files'>

/** The meaning of a valid repository, as plain values that can be passed between threads. */
export type LoadedParts = Pick<Revision, 'id' | 'files' | 'digest' | 'catalog' | 'policies' | 'subjects'> & {
  readonly entities: Entities
  readonly families: Families
  /** For the engine; `undefined` if not needed. */
  readonly schema: string | undefined
}

/** Loads and validates a whole policy repository: returns a revision that can serve, or all problems. */
export function loadRevision(source: DecidingFiles, options: LoadOptions = {}): Revision | Problems<Problem> {
  const parts = loadParts(source, options)
  return !isProblems(parts) ? assembleRevision(parts, options) : parts
}

/** Creates a revision from valid parts. */
export function assembleRevision(parts: LoadedParts, options: LoadOptions = {}): Revision {
  return toRevision(parts, createEngine(parts.schema, options.maxRemembered))
}

/**
 * Does what `assembleRevision` does, without a standby instance: for a revision that is only tried, and refused if the
 * engine fails.
 */
export function assembleForTrial(parts: LoadedParts, options: LoadOptions): Revision {
  return toRevision(parts, createEngine(parts.schema, options.maxRemembered, [createInstance(parts.schema)]))
}

/**
 * Does what `assembleRevision` does, with one turn of the event loop for each step, so that requests are decided
 * meanwhile.
 */
export async function assembleInTurns(parts: LoadedParts, options: LoadOptions): Promise<Revision> {
  const serving = await createInstanceInTurns(parts.schema)
  const spare = await createInstanceInTurns(parts.schema)
  await nextTurn()
  return toRevision(parts, createEngine(parts.schema, options.maxRemembered, [serving, spare]))
}

/** Parses and validates a whole policy repository, without creating an engine. */
export function loadParts(source: DecidingFiles, options: LoadOptions = {}): LoadedParts | Problems<Problem> {
  const cedar = createCedar()
  const { files, id } = source
  const catalogText = files.get('services.yaml')
  if (catalogText === undefined) {
    return refuse([
      {
        file: 'services.yaml',
        message: 'missing; it names the services that may be asked about (docs/policy-guide.md)',
      },
    ])
  }
  const catalog = parseCatalog(catalogText, options.hopLifetimeMs)
  const { policies, problems } = parsePolicies(cedar, files)
  if (isProblems(catalog)) return refuse([...catalog.problems, ...problems])
  // The operator's part comes first, so that Cedar's offsets are offsets in their file.
  const own = files.get(schemaFile) ?? ''
  const schema = `${own}\n${schemaFor(catalog)}`
  const declared = parseSchema(cedar, own, schema)
  if (isProblems(declared)) return refuse([...problems, ...declared.problems])
  const entitiesText = files.get(entitiesFile) ?? '[]'
  const unclear = options.hasServed === true ? undefined : findJsonFault(entitiesFile, entitiesText)
  const entities = unclear === undefined ? parseEntities(cedar, schema, entitiesText) : refuse([unclear])
  const described: Entities = isProblems(entities) ? new Map() : entities
  const literals = literalsOf(policies, described, entitiesText)
  const found = [
    ...problems,
    ...catalogProblems(catalog, declared.schema),
    ...validate(cedar, schema, policies, files),
    ...policyProblems(policies, catalog, readFamilies(declared.schema).types),
    ...(isProblems(entities) ? entities.problems : []),
    ...(options.hasServed === true ? [] : malformedLiterals(literals)),
    ...(options.hasServed === true ? [] : malformedAttributes(cedar, schema, described, entitiesText)),
  ]
  if (policies.length === 0 && catalog.services.length > 0) {
    found.push({ file: '.', message: 'expected at least one policy in a `*.cedar` file, found none' })
  }
  if (found.length > 0 || isProblems(entities)) return refuse(found)
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

function refuse(problems: readonly Problem[]): Problems<Problem> {
  return { kind: 'problems', problems }
}

/** True if the engine needs the schema, which it does to read plain text values of attributes and tags. */
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
): { readonly schema: SchemaJson<string> } | Problems<Problem> {
  const limit = exceedsSchemaLimits(own)
  if (limit !== undefined) {
    return refuse([{ file: schemaFile, ...positionAt(own, limit.offset), message: limit.message }])
  }
  const answer = namingFile(schemaFile, () => cedar.schemaToJson(schema))
  if (answer.type === 'success') return { schema: answer.json }
  return refuse(
    answer.errors.map((error) =>
      toCedarProblem(error, { file: schemaFile, whole: own, part: own, offset: 0 }),
    ),
  )
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

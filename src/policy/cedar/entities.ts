import type { EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import * as v from 'valibot'
import { type Problem, positionAt } from '../../base/document/problem.ts'
import { entityKey, formatEntityUid, toEntityUid } from '../../base/model/entity-uid.ts'
import { describeCause } from '../../base/model/fault.ts'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import type { Problems } from '../../base/model/problems.ts'
import { type Cedar, namingFile } from './cedar.ts'
import { exceedsJsonLimits } from './lexical-limits.ts'

/** The entities of entities.json, by `entityKey`; they add to those of requests. */
export type Entities = ReadonlyMap<string, EntityJson>

/** The file with the author's entities. */
export const entitiesFile = 'entities.json'
const file = entitiesFile
const maxAncestors = 64
// Requests prove these types. A file that could add to them could make a clerk a clinician, or give parents to an
// autonomous caller.
const provenTypes: ReadonlySet<string> = new Set([
  'Action',
  'Autonomous',
  'Group',
  'Namespace',
  'Service',
  'Tool',
  'TrustDomain',
  'User',
])
const uid = v.union([
  v.strictObject({ type: v.string(), id: v.string() }),
  v.pipe(
    v.strictObject({ __entity: v.strictObject({ type: v.string(), id: v.string() }) }),
    v.transform(({ __entity }) => __entity),
  ),
])
const entitySchema = v.strictObject({
  uid,
  attrs: v.optional(v.record(v.string(), v.unknown()), {}),
  parents: v.optional(v.array(uid), []),
  tags: v.optional(v.record(v.string(), v.unknown())),
})

/** Parses entities.json and validates it against the schema. */
export function parseEntities(cedar: Cedar, schema: string, text: string): Entities | Problems<Problem> {
  const limit = exceedsJsonLimits(text)
  if (limit !== undefined) return refuse({ file, ...positionAt(text, limit.offset), message: limit.message })
  const parsed = parseList(text)
  if (isInvalid(parsed)) return refuse({ file, message: parsed.reason })
  const problems: Problem[] = []
  const entities = new Map<string, EntityJson>()
  for (const [index, item] of parsed.entries()) {
    const entity = v.safeParse(entitySchema, item)
    if (!entity.success) {
      problems.push({
        file,
        message: `entity ${index + 1}: ${entity.issues.map((issue) => issue.message).join('; ')}`,
      })
      continue
    }
    const name = formatEntityUid(entity.output.uid)
    if (provenTypes.has(entity.output.uid.type)) {
      problems.push({ file, message: `${name}: entities of this type come from proven facts alone` })
    }
    if (entity.output.parents.some(({ type }) => provenTypes.has(type))) {
      problems.push({
        file,
        message: `${name}: what it belongs to of these types comes from proven facts alone`,
      })
    }
    if (entities.has(entityKey(entity.output.uid))) problems.push({ file, message: `${name} stands twice` })
    // Cedar validates the values against the schema just below.
    entities.set(entityKey(entity.output.uid), entity.output as EntityJson)
  }
  problems.push(...deepFamilies(entities))
  if (problems.length > 0) return refuse(...problems)
  const answer = namingFile(file, () =>
    cedar.checkParseEntities({ entities: [...entities.values()], schema }),
  )
  if (answer.type === 'failure')
    return refuse(...answer.errors.map((error) => ({ file, message: error.message })))
  return entities
}

function refuse(...problems: readonly Problem[]): Problems<Problem> {
  return { kind: 'problems', problems }
}

function parseList(text: string): readonly unknown[] | Invalid {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : invalid('expected a JSON array of entities')
  } catch (cause) {
    return invalid(describeCause(cause))
  }
}

/** Cedar follows parents recursively, so long lines and circles of parents must be refused before. */
function deepFamilies(entities: Entities): readonly Problem[] {
  const problems: Problem[] = []
  for (const [key, entity] of entities) {
    let generation = new Set([key])
    for (let depth = 0; generation.size > 0; depth++) {
      const parents = [...generation].flatMap((child) => entities.get(child)?.parents ?? [])
      generation = new Set(parents.map((parent) => entityKey(toEntityUid(parent))))
      if (generation.has(key) || depth === maxAncestors) {
        problems.push({
          file,
          message: `${formatEntityUid(toEntityUid(entity.uid))}: expected at most ${maxAncestors} generations and no circle`,
        })
        break
      }
    }
  }
  return problems
}

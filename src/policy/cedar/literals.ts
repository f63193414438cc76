import type { EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import { type Problem, positionAt } from '../../base/document/problem.ts'
import {
  type EntityUid,
  entityKey,
  entityUidsIn,
  formatEntityUid,
  toEntityUid,
} from '../../base/model/entity-uid.ts'
import { type Entities, entitiesFile } from './entities.ts'
import type { Policy } from './policies.ts'

/** A file, and a line and column in it. */
export type Place = Omit<Problem, 'message'>

/** An entity that an author names, and its place. */
export type Literal = {
  readonly uid: EntityUid
  /** Computed on demand, because finding a place needs a search in the text. */
  readonly place: () => Place
  /** The policy or the entity of entities.json that names it. */
  readonly of: string
  readonly policy: Policy | undefined
}

/** A user or a group that an author names, and its first place. */
export type NamedSubject = { readonly uid: EntityUid; readonly place: Place }

/** Returns the users and groups among literals, each once. Only the configuration shows whether they can exist. */
export function subjectsOf(literals: readonly Literal[]): readonly NamedSubject[] {
  const subjects = new Map<string, NamedSubject>()
  for (const { uid, place } of literals) {
    const isSubject = uid.type === 'User' || uid.type === 'Group'
    if (isSubject && !subjects.has(entityKey(uid))) subjects.set(entityKey(uid), { uid, place: place() })
  }
  return [...subjects.values()]
}

/** Returns every entity that policies and entities.json name, once for each policy and entity that names it. */
export function literalsOf(
  policies: readonly Policy[],
  entities: Entities,
  entitiesText: string,
): readonly Literal[] {
  const placeOf = createPlacesInEntities(entitiesText)
  return [
    ...policies.flatMap(inPolicy),
    ...[...entities.values()].flatMap((entity) => inEntity(entity, placeOf)),
  ]
}

function inPolicy(policy: Policy): readonly Literal[] {
  const { principal, action, resource, conditions } = policy.json
  return distinct(entityUidsIn([principal, action, resource, conditions])).map((uid) => ({
    uid,
    place: () => placeIn(policy, uid),
    of: `policy \`${policy.id}\``,
    policy,
  }))
}

/** Attributes are excluded, because only the schema says which of them are entities. */
function inEntity({ uid, parents }: EntityJson, placeOf: (uid: EntityUid) => Place): readonly Literal[] {
  const self = toEntityUid(uid)
  return distinct([self, ...parents.map(toEntityUid)]).map((named) => ({
    uid: named,
    place: () => placeOf(named),
    of: `entity ${formatEntityUid(self)}`,
    policy: undefined,
  }))
}

/** Returns the line and column of a name in its policy; the policy's own place if the name is spelled unusually. */
function placeIn({ file, line, text }: Policy, { type, id }: EntityUid): Place {
  const offset = text.indexOf(`${type}::${JSON.stringify(id)}`)
  if (offset === -1) return { file, line }
  const within = positionAt(text, offset)
  return { file, line: line + within.line - 1, ...(within.line === 1 ? {} : { column: within.column }) }
}

/** Finds the line on which an id first occurs in entities.json. The text is searched at the first call only. */
export function createPlacesInEntities(text: string): (uid: EntityUid) => Place {
  let lines: ReadonlyMap<string, number> | undefined
  return ({ id }) => {
    lines ??= linesOfTexts(text)
    const line = lines.get(JSON.stringify(id))
    return line === undefined ? { file: entitiesFile } : { file: entitiesFile, line }
  }
}

/** Returns the first line of each JSON text, by its written form. */
function linesOfTexts(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>()
  let line = 1
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|\n/g)) {
    if (token === '\n') line++
    else if (!lines.has(token)) lines.set(token, line)
  }
  return lines
}

function distinct(uids: Iterable<EntityUid>): readonly EntityUid[] {
  return [...new Map([...uids].map((uid) => [entityKey(uid), uid])).values()]
}

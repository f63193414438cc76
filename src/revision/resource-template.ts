import type { EntityUid } from '../model/entity-uid.ts'
import { type Invalid, invalid } from '../model/invalid.ts'
import type { Param } from '../model/target.ts'
import { ownEntityTypes } from './product-schema.ts'

/** Names the entity that a request is about: `Patient::{patientId}` takes its whole id from one route parameter. */
export type ResourceTemplate = {
  readonly text: string
  readonly type: string
  readonly id: { readonly kind: 'literal' | 'parameter'; readonly text: string }
}

const typePattern = /^[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*$/

/** Parses a resource as services.yaml writes it. An id is one parameter or a literal: pasting them together could make two ids one. */
export function parseResourceTemplate(text: string): ResourceTemplate | Invalid {
  const split = text.lastIndexOf('::')
  const type = text.slice(0, Math.max(split, 0))
  if (!typePattern.test(type))
    return invalid(`resource \`${text}\`: expected \`Type::{parameter}\` or \`Type::"id"\``)
  if (ownEntityTypes.has(type)) {
    return invalid(
      `resource \`${text}\`: \`${type}\` is one of Waywarden's own types; declare a type of your own in the schema`,
    )
  }
  const id = text.slice(split + 2)
  const parameter = /^\{([A-Za-z][A-Za-z0-9_]*)\}$/.exec(id)?.[1]
  if (parameter !== undefined) return { text, type, id: { kind: 'parameter', text: parameter } }
  const literal = /^"([^"{}\\]+)"$/.exec(id)?.[1]
  if (literal !== undefined) return { text, type, id: { kind: 'literal', text: literal } }
  return invalid(`resource \`${text}\`: expected \`Type::{parameter}\` or \`Type::"id"\``)
}

/** The entity that a template names for a request's parameters. */
export function toResource(template: ResourceTemplate, params: readonly Param[]): EntityUid {
  const { id, type } = template
  if (id.kind === 'literal') return { type, id: id.text }
  return { type, id: params.find(({ name }) => name === id.text)?.value ?? '' }
}

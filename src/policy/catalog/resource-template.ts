import type { EntityUid } from '../../base/model/entity-uid.ts'
import { type Invalid, invalid } from '../../base/model/invalid.ts'
import type { Param } from '../../base/model/target.ts'
import { show } from '../../base/text/show.ts'
import { ownEntityTypes } from '../cedar/product-schema.ts'

/** Names the resource of a request: `Patient::{patientId}` takes its whole id from one route parameter. */
export type ResourceTemplate = {
  readonly text: string
  readonly type: string
  readonly id: { readonly kind: 'literal' | 'parameter'; readonly text: string }
}

const typePattern = /^[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*$/

/**
 * Parses a resource of services.yaml. An id is one parameter or a literal, because concatenation could make two ids
 * equal.
 */
export function parseResourceTemplate(text: string): ResourceTemplate | Invalid {
  const split = text.lastIndexOf('::')
  const type = text.slice(0, Math.max(split, 0))
  if (!typePattern.test(type))
    return invalid(`expected \`Type::{parameter}\` or \`Type::"id"\`, found ${show(text)}`)
  if (ownEntityTypes.has(type)) {
    return invalid(
      `\`${type}\` is one of Waywarden's own types, which no route can name; declare a type of your own in schema.cedarschema, such as \`entity My${type} in [Service];\``,
    )
  }
  const id = text.slice(split + 2)
  const parameter = /^\{([A-Za-z][A-Za-z0-9_]*)\}$/.exec(id)?.[1]
  if (parameter !== undefined) return { text, type, id: { kind: 'parameter', text: parameter } }
  const literal = /^"([^"{}\\]+)"$/.exec(id)?.[1]
  if (literal !== undefined) return { text, type, id: { kind: 'literal', text: literal } }
  return invalid(`expected \`Type::{parameter}\` or \`Type::"id"\`, found ${show(text)}`)
}

/** Returns the entity of a template for a request's parameters. */
export function toResource(template: ResourceTemplate, params: readonly Param[]): EntityUid {
  const { id, type } = template
  if (id.kind === 'literal') return { type, id: id.text }
  return { type, id: params.find(({ name }) => name === id.text)?.value ?? '' }
}

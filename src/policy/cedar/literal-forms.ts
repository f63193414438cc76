import type { Problem } from '../../base/document/problem.ts'
import { type EntityUid, formatEntityUid } from '../../base/model/entity-uid.ts'
import { isInvalid } from '../../base/model/invalid.ts'
import { parseSpiffeId, parseTrustDomain } from '../../base/model/spiffe-id.ts'
import { issuerNamePattern, splitIssuer } from '../../base/text/issuer-name.ts'
import { serviceNamePattern } from '../catalog/services-schema.ts'
import type { Literal } from './literals.ts'

/** Finds literals that no request can ever match, so that their policies do not do what the author meant. */
export function malformedLiterals(literals: readonly Literal[]): readonly Problem[] {
  return literals.flatMap(({ uid, place, of }) => {
    const expected = expectedForm(uid)
    if (expected === undefined) return []
    return [{ ...place(), message: `${of}: ${formatEntityUid(uid)} can never exist: expected ${expected}` }]
  })
}

/** Returns the required form of an id of the product's own types, if the id violates it; `undefined` for other types. */
export function expectedForm({ type, id }: EntityUid): string | undefined {
  const isFormed = forms.get(type)
  if (isFormed === undefined) return undefined
  return untidy(id) ?? isFormed(id)
}

type Form = (id: string) => string | undefined

/** The forms of ids that `cedar-call.ts` creates. */
const forms: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['Agent', workload],
  ['Autonomous', workload],
  ['AgentGroup', () => undefined],
  ['Group', qualified('group', 'hospital/clinicians')],
  ['Namespace', namespace],
  ['Service', service],
  ['Tool', () => undefined],
  ['TrustDomain', trustDomain],
  ['User', qualified('id', 'hospital/clerk')],
])

function untidy(id: string): string | undefined {
  if (id === '') return 'an id, found the empty text'
  if (/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(id)) return 'an id without control characters'
  if (/^[\s\p{Cf}]|[\s\p{Cf}]$/u.test(id)) return 'an id without blanks at its ends'
  return undefined
}

function workload(id: string): string | undefined {
  const parsed = parseSpiffeId(id)
  if (!isInvalid(parsed)) return undefined
  return `a SPIFFE ID, such as \`spiffe://hospital.example/ns/billing/sa/agent-a\` (${parsed.reason})`
}

function namespace(id: string): string | undefined {
  const [domain = '', name = '', ...more] = id.split('/')
  const isName = /^[A-Za-z0-9._-]+$/.test(name) && name !== '.' && name !== '..'
  const isWhole = more.length === 0 && isName && !isInvalid(parseTrustDomain(domain))
  return isWhole
    ? undefined
    : '`<trust domain>/<namespace>` without a scheme, such as `hospital.example/billing`'
}

function trustDomain(id: string): string | undefined {
  return isInvalid(parseTrustDomain(id))
    ? 'the name of a trust domain without a scheme, such as `hospital.example`'
    : undefined
}

function service(id: string): string | undefined {
  return serviceNamePattern.test(id)
    ? undefined
    : 'the `name` of a service in services.yaml: lower-case letters, digits, `-` and `.`'
}

function qualified(what: string, example: string): Form {
  return (id) => {
    const split = splitIssuer(id)
    const isWhole =
      split !== undefined && issuerNamePattern.test(split.issuer) && untidy(split.rest) === undefined
    return isWhole
      ? undefined
      : `\`<name>/<${what}>\`, such as \`${example}\`, where \`<name>\` is the name of the identity provider in \`users\` of waywarden.yaml`
  }
}

import { remember, rememberEach } from '../../base/cache/remember.ts'
import type { Answer } from '../../base/model/answer.ts'
import type { DenyCode } from '../../base/model/decision.ts'
import type { Report } from '../../base/model/event.ts'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import {
  encodeMessage,
  overwriteAscii,
  type Writer,
  writeEncoded,
  writeHead,
  writeText,
  writeVarint,
  written,
} from './message-writer.ts'

type Denial = Extract<Answer, { kind: 'deny' }>
type Allowance = Extract<Answer, { kind: 'allow' | 'observed' }>

const documentation = 'https://github.com/waywarden/waywarden/blob/main/docs/decision-codes.md'
const decisionIdHeader = 'waywarden-decision-id'

const grpcOk = 0
const grpcPermissionDenied = 7
const overwriteIfExistsOrAdd = 2

/** RFC 9110 §5.6.2. A colon is not allowed, so pseudo headers are excluded too. */
const tokenPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Envoy would pass on a CRLF, which would split the response. */
const valuePattern = /^[\t\x20-\x7e]*$/

/**
 * Encodes an answer as an explicit `CheckResponse` (proto/). An answer with invalid headers becomes an `internal_error`
 * denial and is reported.
 */
export function encodeCheckResponse(answer: Answer, report: Report): Uint8Array {
  const encoded = encodeAnswer(answer)
  if (!isInvalid(encoded)) return encoded
  report({ kind: 'fault', where: 'ext-authz/respond', cause: new UnencodableAnswerError(encoded.reason) })
  const { txn, policyRevision } = answer
  const decisionId = valuePattern.test(answer.decisionId) ? answer.decisionId : unrecordedId
  return encodeDenial({ kind: 'deny', code: 'internal_error', decisionId, txn, policyRevision })
}

class UnencodableAnswerError extends Error {
  override readonly name = 'UnencodableAnswerError'
  readonly code = 'unencodable_answer'
}

function encodeAnswer(answer: Answer): Uint8Array | Invalid {
  if (!valuePattern.test(answer.decisionId)) return invalid('decision id: expected visible ASCII')
  if (answer.kind === 'deny') return encodeDenial(answer)
  const template = toTemplate(answer)
  return isInvalid(template) ? template : fillIn(template, answer.decisionId)
}

/** Names the header, never its value, which may be a token. */
function findProblem({ setHeaders, removeHeaders }: Allowance): Invalid | undefined {
  const badName = setHeaders.find(([name]) => !isChangeable(name))?.[0] ?? badNameOf(removeHeaders)
  if (badName !== undefined)
    return invalid(`header ${JSON.stringify(badName)}: expected a name that may be changed`)
  const badValue = setHeaders.find(([, value]) => !valuePattern.test(value))
  return badValue && invalid(`header \`${badValue[0]}\`: expected a value of visible ASCII`)
}

/** Most answers remove the same list object. */
const badNameOf = rememberEach((names: readonly string[]) => names.find((name) => !isChangeable(name)))

function isChangeable(name: string): boolean {
  return tokenPattern.test(name) && name.toLowerCase() !== 'host'
}

/** An encoded allow, and the distance of each of its decision ids from its end. */
type Template = { readonly bytes: Uint8Array; readonly idEnds: readonly number[] }

/**
 * A reused child chain changes only the decision id of an allow. INVARIANT: all other encoded fields are compared,
 * because a chain must never reach another callee or caller.
 */
const toTemplate = remember(encodeAllowance, {
  maxEntries: 4096,
  room: { maxBytes: 4 * 1024 * 1024, bytesOf: (_answer, template) => weigh(template) },
  keyOf: ({ setHeaders, txn }) => setHeaders[0]?.[1] ?? txn ?? '',
  isSame: differInId,
  isWorth: (template) => !isInvalid(template),
})

const fixedBytes = 600

function weigh(template: Template | Invalid): number {
  return isInvalid(template) ? fixedBytes : template.bytes.length + fixedBytes
}

/** True if two allows differ at most in decision ids of equal length. */
function differInId(one: Allowance, other: Allowance): boolean {
  return (
    codeOf(one) === codeOf(other) &&
    one.txn === other.txn &&
    one.policyRevision === other.policyRevision &&
    one.decisionId.length === other.decisionId.length &&
    one.removeHeaders === other.removeHeaders &&
    one.setHeaders.length === other.setHeaders.length &&
    one.setHeaders.every(([name, value], index) => {
      const [otherName, otherValue] = other.setHeaders[index] ?? []
      return name === otherName && value === otherValue
    })
  )
}

/** `undefined` only for a plain allow. */
function codeOf(answer: Answer): DenyCode | undefined {
  return answer.kind === 'allow' ? undefined : answer.code
}

function encodeAllowance(answer: Allowance): Template | Invalid {
  const problem = findProblem(answer)
  if (problem !== undefined) return problem
  const idEnds: number[] = []
  const bytes = encodeMessage((response) => {
    idEnds.push(writeDynamicMetadata(response, answer))
    const before = written(response)
    idEnds.push(before + overwriting.length)
    writeHeader(response, 6, decisionIdHeader, answer.decisionId)
    writeEncoded(response, toRemovals(answer.removeHeaders))
    for (const [name, value] of answer.setHeaders.toReversed()) writeHeader(response, 2, name, value)
    writeHead(response, 3, before)
    writeEncoded(response, okStatus)
  })
  return { bytes: new Uint8Array(bytes), idEnds }
}

function fillIn({ bytes, idEnds }: Template, decisionId: string): Uint8Array {
  return encodeMessage((response) => {
    writeEncoded(response, bytes)
    for (const idEnd of idEnds) overwriteAscii(response, idEnd, decisionId)
  })
}

const okStatus = encodeMessage((response) => {
  const before = written(response)
  writeVarint(response, 1, grpcOk)
  writeHead(response, 1, before)
})

const toRemovals = rememberEach((names: readonly string[]) =>
  encodeMessage((ok) => {
    for (const name of names.toReversed()) writeText(ok, 5, name)
  }),
)

function encodeDenial(answer: Denial): Uint8Array {
  const httpStatus = statusOf(answer.code)
  return encodeMessage((response) => {
    writeDynamicMetadata(response, answer)
    const beforeDenied = written(response)
    writeText(response, 3, toProblemJson(answer, httpStatus))
    writeHeader(response, 2, decisionIdHeader, answer.decisionId)
    writeHeader(response, 2, 'content-type', 'application/problem+json')
    if (answer.retryAfterSeconds !== undefined)
      writeHeader(response, 2, 'retry-after', String(answer.retryAfterSeconds))
    const beforeHttpStatus = written(response)
    writeVarint(response, 1, httpStatus)
    writeHead(response, 1, beforeHttpStatus)
    writeHead(response, 2, beforeDenied)
    const beforeStatus = written(response)
    writeText(response, 2, answer.code)
    writeVarint(response, 1, grpcPermissionDenied)
    writeHead(response, 1, beforeStatus)
  })
}

/** Refusals that a client should retry have statuses of their own. */
function statusOf(code: DenyCode): number {
  if (code === 'overloaded') return 429
  return code === 'token_key_unknown' ? 503 : 403
}

/** Older Envoys read `append`, newer ones `append_action`. Both are set to overwrite. */
function writeHeader(writer: Writer, number: number, name: string, value: string): void {
  const before = written(writer)
  writeEncoded(writer, overwriting)
  const beforeHeader = written(writer)
  writeText(writer, 2, value)
  writeText(writer, 1, name)
  writeHead(writer, 1, beforeHeader)
  writeHead(writer, number, before)
}

const overwriting = encodeMessage((option) => {
  writeVarint(option, 3, overwriteIfExistsOrAdd)
  const before = written(option)
  writeVarint(option, 1, 0)
  writeHead(option, 2, before)
})

/** RFC 9457. The client receives the code; the reason stays in the audit log. */
function toProblemJson(answer: Denial, status: number): string {
  const { code, decisionId, txn } = answer
  return JSON.stringify({
    type: `${documentation}#${code}`,
    title: toTitle(code),
    status,
    code,
    decisionId,
    txn,
  })
}

function toTitle(code: DenyCode): string {
  return `Request refused: ${code.replaceAll('_', ' ')}`
}

/**
 * For Envoy's access log: `%DYNAMIC_METADATA(envoy.filters.http.ext_authz:decision_id)%`. Returns the distance of the
 * decision id from the end.
 */
function writeDynamicMetadata(response: Writer, answer: Answer): number {
  const before = written(response)
  writeEntry(response, 'outcome', answer.kind)
  writeEntry(response, 'policy_revision', answer.policyRevision)
  writeEntry(response, 'code', codeOf(answer))
  writeEntry(response, 'txn', answer.txn)
  const idEnd = written(response)
  writeEntry(response, 'decision_id', answer.decisionId)
  writeHead(response, 4, before)
  return idEnd
}

function writeEntry(struct: Writer, key: string, value: string | undefined): void {
  if (value === undefined) return
  const before = written(struct)
  writeText(struct, 3, value)
  writeHead(struct, 2, before)
  writeText(struct, 1, key)
  writeHead(struct, 1, before)
}

const unrecordedId = 'unrecorded'

/** An encoded denial with no dependencies, used if even refusing fails. */
export const unrecordedDenial: Uint8Array = encodeDenial({
  kind: 'deny',
  code: 'internal_error',
  decisionId: unrecordedId,
  txn: undefined,
  policyRevision: undefined,
})

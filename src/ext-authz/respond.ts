import type { Answer } from '../model/answer.ts'
import type { DenyCode } from '../model/decision.ts'
import type { Report } from '../model/event.ts'
import { encodeMessage, type Writer, writeMessage, writeText, writeVarint } from './wire.ts'

type Denial = Extract<Answer, { kind: 'deny' }>
type Allowance = Extract<Answer, { kind: 'allow' | 'observed' }>
type HeaderPair = readonly [name: string, value: string]

const documentation = 'https://github.com/waywarden/waywarden/blob/main/docs/decision-codes.md'
const decisionIdHeader = 'waywarden-decision-id'

const grpcOk = 0
const grpcPermissionDenied = 7
const overwriteIfExistsOrAdd = 2

/** RFC 9110 §5.6.2; it has no colon, so no pseudo header either. */
const tokenPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Envoy passes a CRLF on, which would split the response. */
const valuePattern = /^[\t\x20-\x7e]*$/

/**
 * Encodes an answer as an explicit `CheckResponse` (proto/). An answer whose headers must not go on the wire becomes an
 * `internal_error` denial, and the operator is told.
 */
export function encodeCheckResponse(answer: Answer, report: Report): Uint8Array {
  const problem = problemOf(answer)
  if (problem === undefined) {
    return answer.kind === 'deny' ? encodeDenial(answer) : encodeAllowance(answer)
  }
  report({ kind: 'fault', where: 'ext-authz/respond', cause: new UnencodableAnswerError(problem) })
  const { txn, policyRevision } = answer
  const decisionId = valuePattern.test(answer.decisionId) ? answer.decisionId : unrecordedId
  return encodeDenial({ kind: 'deny', code: 'internal_error', decisionId, txn, policyRevision })
}

class UnencodableAnswerError extends Error {
  override readonly name = 'UnencodableAnswerError'
  readonly code = 'unencodable_answer'
}

/** Names the header and never its value, which may be a token. */
function problemOf(answer: Answer): string | undefined {
  if (!valuePattern.test(answer.decisionId)) return 'decision id: expected visible ASCII'
  if (answer.kind === 'deny') return undefined
  const badName = [...answer.setHeaders.map(([name]) => name), ...answer.removeHeaders].find(
    (name) => !tokenPattern.test(name) || name.toLowerCase() === 'host',
  )
  if (badName !== undefined) return `header ${JSON.stringify(badName)}: expected a name that may be changed`
  const badValue = answer.setHeaders.find(([, value]) => !valuePattern.test(value))
  if (badValue !== undefined) return `header \`${badValue[0]}\`: expected a value of visible ASCII`
  return undefined
}

function encodeAllowance(answer: Allowance): Uint8Array {
  return encodeMessage((response) => {
    writeMessage(response, 1, (status) => writeVarint(status, 1, grpcOk))
    writeMessage(response, 3, (ok) => {
      writeHeaders(ok, 2, answer.setHeaders)
      for (const name of answer.removeHeaders) writeText(ok, 5, name)
      writeHeaders(ok, 6, [[decisionIdHeader, answer.decisionId]])
    })
    writeDynamicMetadata(response, answer)
  })
}

function encodeDenial(answer: Denial): Uint8Array {
  const httpStatus = answer.code === 'overloaded' ? 429 : 403
  return encodeMessage((response) => {
    writeMessage(response, 1, (status) => {
      writeVarint(status, 1, grpcPermissionDenied)
      writeText(status, 2, answer.code)
    })
    writeMessage(response, 2, (denied) => {
      writeMessage(denied, 1, (status) => writeVarint(status, 1, httpStatus))
      writeHeaders(denied, 2, [
        ['content-type', 'application/problem+json'],
        [decisionIdHeader, answer.decisionId],
      ])
      writeText(denied, 3, toProblemJson(answer, httpStatus))
    })
    writeDynamicMetadata(response, answer)
  })
}

/** Older Envoys look at `append`, newer ones at `append_action`; both here say: overwrite. */
function writeHeaders(writer: Writer, number: number, headers: readonly HeaderPair[]): void {
  for (const [name, value] of headers) {
    writeMessage(writer, number, (option) => {
      writeMessage(option, 1, (header) => {
        writeText(header, 1, name)
        writeText(header, 2, value)
      })
      writeMessage(option, 2, (append) => writeVarint(append, 1, 0))
      writeVarint(option, 3, overwriteIfExistsOrAdd)
    })
  }
}

/** RFC 9457. The client learns the code; the reason stays in the audit log. */
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

/** For Envoy's access log: `%DYNAMIC_METADATA(envoy.filters.http.ext_authz:decision_id)%`. */
function writeDynamicMetadata(response: Writer, answer: Answer): void {
  const entries: readonly (readonly [key: string, value: string | undefined])[] = [
    ['decision_id', answer.decisionId],
    ['txn', answer.txn],
    ['code', answer.kind === 'allow' ? undefined : answer.code],
    ['policy_revision', answer.policyRevision],
    ['outcome', answer.kind],
  ]
  writeMessage(response, 4, (struct) => {
    for (const [key, value] of entries) {
      if (value === undefined) continue
      writeMessage(struct, 1, (entry) => {
        writeText(entry, 1, key)
        writeMessage(entry, 2, (stringValue) => writeText(stringValue, 3, value))
      })
    }
  })
}

const unrecordedId = 'unrecorded'

/** The denial that needs nothing of ours to work: for when even refusing fails. */
export const unrecordedDenial: Uint8Array = encodeDenial({
  kind: 'deny',
  code: 'internal_error',
  decisionId: unrecordedId,
  txn: undefined,
  policyRevision: undefined,
})

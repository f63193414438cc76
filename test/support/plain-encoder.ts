import protobuf from 'protobufjs/minimal.js'
import type { Answer } from '../../src/base/model/answer.ts'

type Writer = protobuf.Writer
type Denial = Extract<Answer, { kind: 'deny' }>
type Allowance = Extract<Answer, { kind: 'allow' | 'observed' }>
type HeaderPair = readonly [name: string, value: string]

const grpcOk = 0
const grpcPermissionDenied = 7
const overwriteIfExistsOrAdd = 2
const varintType = 0
const bytesType = 2

/** Encodes a CheckResponse the plain way, with protobufjs and from its start: what our own writer is held against. `body` is the denial's. */
export function encodePlainly(answer: Answer, body: string): Uint8Array {
  return answer.kind === 'deny' ? encodeDenial(answer, body) : encodeAllowance(answer)
}

function encodeAllowance(answer: Allowance): Uint8Array {
  return encodeMessage((response) => {
    writeMessage(response, 1, (status) => writeVarint(status, 1, grpcOk))
    writeMessage(response, 3, (ok) => {
      writeHeaders(ok, 2, answer.setHeaders)
      for (const name of answer.removeHeaders) writeText(ok, 5, name)
      writeHeaders(ok, 6, [['waywarden-decision-id', answer.decisionId]])
    })
    writeDynamicMetadata(response, answer)
  })
}

function encodeDenial(answer: Denial, body: string): Uint8Array {
  const httpStatus = answer.code === 'overloaded' ? 429 : answer.code === 'token_key_unknown' ? 503 : 403
  return encodeMessage((response) => {
    writeMessage(response, 1, (status) => {
      writeVarint(status, 1, grpcPermissionDenied)
      writeText(status, 2, answer.code)
    })
    writeMessage(response, 2, (denied) => {
      writeMessage(denied, 1, (status) => writeVarint(status, 1, httpStatus))
      writeHeaders(denied, 2, [
        ['content-type', 'application/problem+json'],
        ['waywarden-decision-id', answer.decisionId],
      ])
      writeText(denied, 3, body)
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

/** Encodes one message. */
function encodeMessage(write: (writer: Writer) => void): Uint8Array {
  const writer = protobuf.Writer.create()
  write(writer)
  return writer.finish()
}

/** Writes an unsigned number, an enum or a bool. */
function writeVarint(writer: Writer, number: number, value: number): void {
  writer.uint32((number << 3) | varintType).uint32(value)
}

/** Writes a string; lone surrogates become U+FFFD, since Envoy refuses a whole message for one string that is not UTF-8. */
function writeText(writer: Writer, number: number, text: string): void {
  writer.uint32((number << 3) | bytesType).bytes(Buffer.from(text, 'utf8'))
}

/** Writes a message within a message. */
function writeMessage(writer: Writer, number: number, write: (writer: Writer) => void): void {
  writer.uint32((number << 3) | bytesType).fork()
  write(writer)
  writer.ldelim()
}

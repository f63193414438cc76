import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Headers } from '../../base/model/check-input.ts'
import { type Deny, deny } from '../../base/model/decision.ts'
import type { Report } from '../../base/model/event.ts'
import { type Body, createBody, heldBytes, releaseBody } from '../body.ts'
import { unrecordedDenial } from '../codec/respond.ts'
import { parseGrpcTimeout } from '../grpc-timeout.ts'
import type { CallLimits } from '../limits.ts'
import { giveMemory, takeMemory } from '../memory.ts'
import type { CallContext, CallHandler } from '../transport.ts'
import {
  frameMessage,
  gatherMessage,
  isUnread,
  lateRequest,
  parseMessage,
  type Unread,
  unheld,
} from '../unary-message.ts'
import type { GrpcSession } from './grpc-js-session.ts'

/** Serves Checks on the streams of Node's HTTP/2 server. */
export type Checks = {
  /** Answers the Check of a stream, whatever the client sends. */
  readonly serve: (
    session: GrpcSession,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
  ) => void
  /** Ends streams that take too long; called often. */
  readonly tick: () => void
}

type ChecksOptions = {
  readonly limits: CallLimits
  readonly handle: CallHandler
  /** Monotonic clock. */
  readonly elapsedMs: () => number
  readonly report: Report
}

type Check = {
  readonly session: GrpcSession
  readonly stream: ServerHttp2Stream
  readonly context: () => CallContext
  readonly body: Body
  /** Bytes held for the stream besides its body. */
  heldBytes: number
  state: 'reading' | 'deciding' | 'answering' | 'answered'
  /** When the current state began. */
  sinceMs: number
}

/** The approximate memory of a stream without its headers, and of a header without its text. */
const streamBytes = 4096
const headerBytes = 80

const answerHeaders = { ':status': 200, 'content-type': 'application/grpc' } as const
const okTrailers = { 'grpc-status': '0' } as const
/** Headers of HTTP/2 or gRPC itself; binary metadata and pseudo headers are recognized by their names. */
const plumbing: ReadonlySet<string> = new Set([
  'accept-encoding',
  'content-length',
  'content-type',
  'grpc-accept-encoding',
  'grpc-encoding',
  'grpc-timeout',
  'te',
])

/**
 * Serves Checks instead of grpc-js. grpc-js holds partial messages without a limit of time or total bytes. It also
 * answers unreadable requests with a gRPC error, which follows Envoy's `failure_mode_allow`. INVARIANT: each Check is
 * answered with a message, unless its client is gone or does not read.
 */
export function createChecks(options: ChecksOptions): Checks {
  const { elapsedMs } = options
  const checks = new Set<Check>()
  return {
    serve(session, stream, headers, rawHeaders) {
      const deadlineMs = readDeadline(headers, elapsedMs())
      const check: Check = {
        session,
        stream,
        context: () => ({ metadata: toMetadata(rawHeaders), tlsPeerUris: session.tlsPeerUris, deadlineMs }),
        body: createBody(),
        heldBytes: 0,
        state: 'reading',
        sinceMs: elapsedMs(),
      }
      const guarded = (work: () => void) => guard(check, options, work)
      checks.add(check)
      stream.on('error', () => {})
      stream.once('close', () => {
        checks.delete(check)
        // A request that is being decided is still held.
        if (check.state !== 'deciding') release(check)
      })
      stream.on('data', (chunk: Buffer) => guarded(() => read(check, chunk, options)))
      stream.once('end', () => guarded(() => finish(check, options)))
      guarded(() => {
        if (!hold(check, weigh(rawHeaders))) refuseUnheld(check, options)
      })
    },
    tick() {
      const nowMs = elapsedMs()
      for (const check of checks)
        guard(check, options, () => endIfLate(check, nowMs - check.sinceMs, options))
    },
  }
}

function endIfLate(check: Check, ageMs: number, options: ChecksOptions): void {
  const { requestMs, stalledMs } = options.limits
  const { stream, state } = check
  if (state === 'reading' && ageMs > requestMs) refuse(check, lateRequest(requestMs), options)
  if (state === 'reading' || state === 'deciding') return
  if (ageMs > stalledMs) stream.close(constants.NGHTTP2_CANCEL)
  // Tells a sending client to stop (RFC 9113 §8.1). An earlier reset would overtake the trailers.
  else if (state === 'answered' && !stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR)
}

function read(check: Check, chunk: Buffer, options: ChecksOptions): void {
  // The rest of a refused message is read and dropped, so that windows stay open.
  if (check.state !== 'reading') return
  const unread = gatherMessage(check.body, check.session.memory, chunk, options.limits.maxMessageBytes)
  if (unread !== undefined) refuse(check, unread, options)
}

function finish(check: Check, options: ChecksOptions): void {
  if (check.state !== 'reading') return
  const message = parseMessage(heldBytes(check.body), options.limits.maxMessageBytes)
  if (isUnread(message)) refuse(check, message, options)
  else decide(check, message, options)
}

function refuse(check: Check, unread: Unread, options: ChecksOptions): void {
  releaseBody(check.body, check.session.memory)
  decide(check, toDenial(unread), options)
}

function decide(check: Check, request: Uint8Array | Deny, options: ChecksOptions): void {
  check.state = 'deciding'
  const answered = ask(request, check.context(), options)
  if (!(answered instanceof Promise)) {
    answer(check, answered, options)
    return
  }
  check.session.deciding++
  void answered.then((settled) => {
    check.session.deciding--
    guard(check, options, () => answer(check, settled, options))
  })
}

/** INVARIANT: always gives an answer, and neither throws nor rejects. */
function ask(
  request: Uint8Array | Deny,
  context: CallContext,
  { handle, report }: ChecksOptions,
): Uint8Array | Promise<Uint8Array> {
  const toUnrecorded = (cause: unknown) => {
    report({ kind: 'fault', where: 'ext-authz/grpc-js-checks', cause })
    return unrecordedDenial
  }
  try {
    const answered = handle(request, context)
    return answered instanceof Promise ? answered.catch(toUnrecorded) : answered
  } catch (cause) {
    return toUnrecorded(cause)
  }
}

function answer(check: Check, message: Uint8Array, { elapsedMs }: ChecksOptions): void {
  const { stream, session, body } = check
  check.state = 'answering'
  check.sinceMs = elapsedMs()
  session.hasAnswered = true
  releaseBody(body, session.memory)
  if (isGone(stream)) {
    release(check)
    return
  }
  const framed = frameMessage(message)
  if (hold(check, framed.length)) send(check, framed)
  else stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
}

/** No memory is held for it, so its denial is sent only if it fits into the window. */
function refuseUnheld(check: Check, options: ChecksOptions): void {
  const { stream } = check
  check.state = 'answering'
  const denied = ask(toDenial(unheld), check.context(), options)
  const framed = frameMessage(denied instanceof Promise ? unrecordedDenial : denied)
  const windows = [stream.session?.remoteSettings.initialWindowSize, stream.session?.state.remoteWindowSize]
  if (isGone(stream)) return
  if (windows.every((bytes = 0) => bytes >= framed.length)) send(check, framed)
  else stream.close(constants.NGHTTP2_REFUSED_STREAM)
}

function send(check: Check, framed: Buffer): void {
  const { stream } = check
  stream.once('wantTrailers', () => {
    stream.sendTrailers(okTrailers)
    check.state = 'answered'
  })
  stream.respond(answerHeaders, { waitForTrailers: true })
  stream.end(framed)
}

function hold(check: Check, bytes: number): boolean {
  if (!takeMemory(check.session.memory, bytes)) return false
  check.heldBytes += bytes
  return true
}

function release(check: Check): void {
  const { session, body } = check
  releaseBody(body, session.memory)
  giveMemory(session.memory, check.heldBytes)
  check.heldBytes = 0
}

/** A fault of ours ends only its own stream. */
function guard({ stream }: Check, { report }: ChecksOptions, work: () => void): void {
  try {
    work()
  } catch (cause) {
    report({ kind: 'fault', where: 'ext-authz/grpc-js-checks', cause })
    stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }
}

function isGone({ destroyed, closed }: ServerHttp2Stream): boolean {
  return destroyed || closed
}

function toDenial({ code, reason }: Unread): Deny {
  return deny(code, `check request: ${reason}`)
}

function readDeadline(
  { 'grpc-timeout': timeout }: IncomingHttpHeaders,
  startedMs: number,
): number | undefined {
  const timeoutMs = typeof timeout === 'string' ? parseGrpcTimeout(timeout) : undefined
  return timeoutMs === undefined ? undefined : startedMs + timeoutMs
}

/** Reads the raw fields, so that the values of a repeated field stay separate. */
function toMetadata(rawHeaders: readonly string[]): Headers {
  const metadata = new Map<string, string[]>()
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    if (name.startsWith(':') || name.endsWith('-bin') || plumbing.has(name)) continue
    const values = metadata.get(name)
    const value = rawHeaders[at + 1] ?? ''
    if (values === undefined) metadata.set(name, [value])
    else values.push(value)
  }
  return metadata
}

function weigh(rawHeaders: readonly string[]): number {
  let bytes = streamBytes
  for (const text of rawHeaders) bytes += text.length + headerBytes / 2
  return bytes
}

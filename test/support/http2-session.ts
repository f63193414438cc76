import type { DenyCode } from '../../src/base/model/decision.ts'
import type { ConnectionFault } from '../../src/base/model/event.ts'
import { createFrameReader, preface, readFrames } from '../../src/envoy/http2/frames/frame-reader.ts'
import { encodeFrame, flag, frameHeaderBytes, frameType } from '../../src/envoy/http2/frames/frames.ts'
import type { Method } from '../../src/envoy/http2/grpc/method.ts'
import { createHpackDecoder, decodeHeaderBlock } from '../../src/envoy/http2/hpack/decoder.ts'
import { encodeHeaderBlock } from '../../src/envoy/http2/hpack/encoder.ts'
import { defaultLimits, type Limits } from '../../src/envoy/http2/limits.ts'
import { greet, receive } from '../../src/envoy/http2/receiving.ts'
import { createSession, type Session } from '../../src/envoy/http2/session.ts'
import { tick } from '../../src/envoy/http2/timing.ts'
import { createSharedMemory } from '../../src/envoy/memory.ts'
import { frameMessage } from '../../src/envoy/unary-message.ts'

/** A frame as a client reads it; `headers` of HEADERS, `payload` of the others. */
export type SeenFrame = {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** A session without a socket, under a clock that a test moves. */
export type TestSession = {
  readonly session: Session
  /** The calls to the link below, and its behaviour. `takes` is whether the kernel takes what is written. */
  readonly link: {
    takes: boolean
    unsent: number
    isReading: boolean
    isEnded: boolean
    isDestroyed: boolean
  }
  /** The monotonic clock. */
  readonly clock: { elapsedMs: number }
  readonly memory: { usedBytes: number; readonly maxBytes: number }
  /** Why the session was ended by us. */
  readonly ended: readonly ConnectionFault[]
  readonly hear: (...bytes: readonly Uint8Array[]) => void
  /** Moves the clock and lets the session look at it. */
  readonly pass: (ms: number) => void
  /** All frames that the session has sent since it was last asked. */
  readonly frames: () => readonly SeenFrame[]
  readonly allFrames: () => readonly SeenFrame[]
  readonly sentBytes: () => Buffer
}

const nothing: Uint8Array = Buffer.alloc(0)

export const checkPath = '/envoy.service.auth.v3.Authorization/Check'
export const watchPath = '/grpc.health.v1.Health/Watch'

/** Answers with the request's own bytes, or with the code of its denial. */
export const echo: Method = {
  kind: 'unary',
  answer: (message) => message,
  refuse: ({ code }) => Buffer.from(code),
}

/** The answer of `echo` for a denial. */
export function echoRefusal(code: DenyCode): Buffer {
  return frameMessage(Buffer.from(code))
}

/** A session that echoes, after its greeting and, unless told otherwise, after the client's. */
export function createTestSession(
  overrides: Partial<Limits> = {},
  methods: Readonly<Record<string, Method>> = { [checkPath]: echo },
  isGreeted: boolean = true,
  onFault: (cause: unknown) => void = rethrow,
): TestSession {
  const link = { takes: true, unsent: 0, isReading: true, isEnded: false, isDestroyed: false }
  const clock = { elapsedMs: 1_000_000 }
  const limits = { ...defaultLimits, ...overrides }
  const memory = createSharedMemory(limits.maxTotalBytes)
  const sent: Buffer[] = []
  const ended: ConnectionFault[] = []
  let seen = 0
  const session = createSession({
    limits,
    methods: new Map(Object.entries(methods)),
    address: '127.0.0.1',
    tlsPeerUris: [],
    elapsedMs: () => clock.elapsedMs,
    memory,
    pool: { free: [] },
    onFault,
    onEnded: (why) => ended.push(why),
    link: {
      write(bytes) {
        sent.push(Buffer.from(bytes))
        if (!link.takes) link.unsent += bytes.length
        return link.takes
      },
      unsentBytes: () => link.unsent,
      setReading: (isReading) => {
        link.isReading = isReading
      },
      end: () => {
        link.isEnded = true
      },
      destroy: () => {
        link.isDestroyed = true
      },
    },
  })
  const hear = (...bytes: readonly Uint8Array[]) => receive(session, Buffer.concat(bytes))
  greet(session)
  if (isGreeted) hear(preface, anyFrame('settings', 0), anyFrame('settings', 0, nothing, flag.ack))
  return {
    session,
    link,
    clock,
    memory,
    ended,
    hear,
    pass(ms) {
      clock.elapsedMs += ms
      tick(session)
    },
    frames() {
      const all = parseFrames(Buffer.concat(sent))
      const fresh = all.slice(seen)
      seen = all.length
      return fresh
    },
    allFrames: () => parseFrames(Buffer.concat(sent)),
    sentBytes: () => Buffer.concat(sent),
  }
}

/** HEADERS of a call; fields overlaid, `undefined` leaves one out. */
export function headersFrame(
  streamId: number,
  flags: number = flag.endHeaders,
  overlay: Readonly<Record<string, string | undefined>> = {},
): Buffer {
  const defaults = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': checkPath,
    'content-type': 'application/grpc',
    te: 'trailers',
  }
  const fields = Object.entries({ ...defaults, ...overlay }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
  return encodeFrame(frameType.headers, flags, streamId, encodeHeaderBlock(fields))
}

/** HEADERS of a call without a message yet, and with fields that are HPACK already. */
export function headersWith(streamId: number, ...fields: readonly Buffer[]): Buffer {
  const call = headersFrame(streamId).subarray(frameHeaderBytes)
  return encodeFrame(frameType.headers, flag.endHeaders, streamId, Buffer.concat([call, ...fields]))
}

/** A field that HPACK's table keeps: the name `a`, and at least 127 bytes of a letter. */
export function keptField(letter: string, length: number): Buffer {
  const rest = length - 127
  const head = [0x40, 1, 0x61, 0x7f, (rest & 0x7f) | 0x80, rest >>> 7]
  return Buffer.concat([Buffer.from(head), Buffer.alloc(length, letter)])
}

/** The last held memory, twice. */
export function namedField(times: number): Buffer {
  return Buffer.alloc(times, 0xbe)
}

/** DATA. */
export function dataFrame(streamId: number, payload: Uint8Array, flags: number = flag.endStream): Buffer {
  return encodeFrame(frameType.data, flags, streamId, payload)
}

/** A whole call. */
export function callFrames(streamId: number, message: Uint8Array | string, path: string = checkPath): Buffer {
  return Buffer.concat([
    headersFrame(streamId, flag.endHeaders, { ':path': path }),
    dataFrame(streamId, frameMessage(Buffer.from(message))),
  ])
}

/** A frame with any payload. */
export function anyFrame(
  type: keyof typeof frameType,
  streamId: number,
  payload: Uint8Array = nothing,
  flags: number = 0,
): Buffer {
  return encodeFrame(frameType[type], flags, streamId, payload)
}

/** SETTINGS with one value. */
export function settingsFrame(id: number, value: number): Buffer {
  const payload = Buffer.alloc(6)
  payload.writeUInt16BE(id)
  payload.writeUInt32BE(value, 2)
  return anyFrame('settings', 0, payload)
}

/** The code with which the connection ended, if it did. */
export function goawayCode(frames: readonly SeenFrame[]): number | undefined {
  return frames.findLast(({ type }) => type === frameType.goaway)?.payload.readUInt32BE(4)
}

/** The codes with which streams were reset. */
export function resetCodes(frames: readonly SeenFrame[]): readonly number[] {
  return frames
    .filter(({ type }) => type === frameType.rstStream)
    .map(({ payload }) => payload.readUInt32BE())
}

/** The data of one stream. */
export function dataOf(frames: readonly SeenFrame[], streamId: number): Buffer {
  const data = frames.filter((frame) => frame.type === frameType.data && frame.streamId === streamId)
  return Buffer.concat(data.map(({ payload }) => payload))
}

/** The `grpc-status` of one stream. */
export function statusOf(frames: readonly SeenFrame[], streamId: number): string | undefined {
  return frames.find((frame) => frame.streamId === streamId && 'grpc-status' in frame.headers)?.headers[
    'grpc-status'
  ]
}

function rethrow(cause: unknown): never {
  throw cause
}

/** Reads what a server sends, and holds it to what a client would. */
export function parseFrames(bytes: Buffer): readonly SeenFrame[] {
  const reader = { ...createFrameReader(), prefaceBytes: preface.length }
  const decoder = createHpackDecoder(4096)
  const frames: SeenFrame[] = []
  const fault = readFrames(reader, bytes, ({ type, flags, streamId, bytes: source, start, end }) => {
    const payload = Buffer.from(source.subarray(start, end))
    const isHead = type === frameType.headers
    const block = isHead ? decodeHeaderBlock(decoder, payload, 0, payload.length, defaultLimits) : []
    if (block === undefined || block === 'too_large') throw new TypeError('the server sent no header block')
    const headers = Object.fromEntries(block.map(({ name, value }) => [name, value]))
    frames.push({ type, flags, streamId, payload, headers })
    return undefined
  })
  if (fault !== undefined || reader.part !== undefined || reader.headerBytes > 0) {
    throw new TypeError('the server sent no whole frame')
  }
  return frames
}

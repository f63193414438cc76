import type { Phase } from '../../base/http/connection-limit.ts'
import type { ConnectionFault } from '../../base/model/event.ts'
import { type MemoryAccount, openMemoryAccount, type SharedMemory } from '../memory.ts'
import { createFrameReader, type FrameReader } from './frames/frame-reader.ts'
import { maxStreamId } from './frames/frames.ts'
import type { Methods } from './grpc/method.ts'
import { createHpackDecoder, type HpackDecoder } from './hpack/decoder.ts'
import type { Limits } from './limits.ts'
import { type BufferPool, createOutput, type Output } from './output.ts'
import type { Stream } from './stream.ts'
import { createTokenBucket, type TokenBucket } from './token-bucket.ts'

/** The transport connection of a session. */
export type Link = {
  /** Passes on bytes; returns true if they may be overwritten afterwards. */
  readonly write: (bytes: Buffer) => boolean
  /** The number of bytes that the kernel has not accepted yet. */
  readonly unsentBytes: () => number
  readonly setReading: (isReading: boolean) => void
  /** Closes after everything was sent. */
  readonly end: () => void
  /** Closes now. */
  readonly destroy: () => void
}

/** The dependencies of a session. */
export type SessionOptions = {
  readonly limits: Limits
  readonly methods: Methods
  readonly link: Link
  /** The client's address; the empty string on a Unix socket. */
  readonly address: string
  readonly tlsPeerUris: readonly string[]
  /** Monotonic clock, so that a step of the wall clock neither ends a call nor keeps one open. */
  readonly elapsedMs: () => number
  readonly memory: SharedMemory
  readonly pool: BufferPool
  /** Called for a bug in this server, which ends the session. */
  readonly onFault: (cause: unknown) => void
  /** Called with the reason when this server ends the session. */
  readonly onEnded: (why: ConnectionFault) => void
}

/** A header block that continues in CONTINUATION frames. */
export type OpenBlock = {
  readonly streamId: number
  readonly flags: number
  readonly dependsOn: number
  readonly bytes: Buffer
  readonly startedAtMs: number
  length: number
  continuations: number
}

/**
 * One HTTP/2 connection without socket and timers, so that bytes and a clock can drive it. `draining`: GOAWAY was sent,
 * and calls that crossed it are served. `refusing`: no new calls. `closed`: nothing is sent or read.
 */
export type Session = Pick<
  SessionOptions,
  'limits' | 'methods' | 'link' | 'tlsPeerUris' | 'elapsedMs' | 'onFault' | 'onEnded'
> & {
  readonly memory: MemoryAccount
  readonly bucket: TokenBucket
  readonly reader: FrameReader
  readonly decoder: HpackDecoder
  readonly output: Output
  readonly streams: Map<number, Stream>
  /** Recently reset streams. Frames that crossed our reset are no errors. */
  readonly resets: Set<number>
  /** Streams whose answer waits for the connection's window, not for their own. */
  readonly waiting: Set<Stream>
  /** Running handlers of streams that are gone. They still count towards the limit, because their work continues. */
  orphans: number
  block: OpenBlock | undefined
  state: 'open' | 'draining' | 'refusing' | 'closed'
  lastStreamId: number
  /** The last stream that we announced to serve. */
  announcedStreamId: number
  hasSettings: boolean
  hasAcknowledged: boolean
  /** How many streams above the limit a client may open before it can know the limit. */
  earlyRefusals: number
  /** The peer has reduced its table size, and must be told that ours is empty. */
  owesTableSize: boolean
  /** Our send window, and the initial one of a new stream. */
  sendWindow: number
  initialWindow: number
  /** The peer's window, and the bytes it has sent without a window update. */
  receiveWindow: number
  uncreditedBytes: number
  /** Unsent bytes that `memory` counts. */
  unsentBytes: number
  isReading: boolean
  isFlushDue: boolean
  readonly at: Times
}

/** Times on the session's monotonic clock; 0 means never. */
export type Times = {
  /** The last reading of the clock. */
  nowMs: number
  readonly openedMs: number
  heardMs: number
  /** The time of the last call. */
  activeMs: number
  /** When the first part of the current partial frame arrived. */
  partMs: number
  /** When the kernel last accepted bytes, or had accepted all. */
  progressMs: number
  pingedMs: number
  drainedMs: number
}

/** Returns the phase of a connection. An incomplete request or a watch does not protect its connection from eviction. */
export function phaseOf({ streams, orphans, at, hasSettings }: Session): Phase {
  if (orphans > 0) return 'busy'
  for (const stream of streams.values()) if (stream.isRunning) return 'busy'
  return hasSettings && at.activeMs > at.openedMs ? 'idle' : 'unfinished'
}

/** True for an idle stream. This server never opens streams, so every even id is idle (RFC 9113 §5.1.1). */
export function isIdle({ lastStreamId }: Session, streamId: number): boolean {
  return streamId > lastStreamId || (streamId & 1) === 0
}

/** RFC 9113 §6.9.2. */
export const defaultWindowBytes = 65_535

/** The window of a connection. */
export const connectionWindowBytes: number = 1024 * 1024

const hpackTableBytes = 4096
const earlyRefusals = 10_000

/** Creates a session that has neither sent nor received anything. */
export function createSession(options: SessionOptions): Session {
  const { limits, methods, link, tlsPeerUris, elapsedMs, onFault, onEnded } = options
  const now = elapsedMs()
  return {
    limits,
    methods,
    link,
    tlsPeerUris,
    elapsedMs,
    onFault,
    onEnded,
    memory: openMemoryAccount(options.memory, limits.maxConnectionBytes, options.address),
    bucket: createTokenBucket(limits.controlBurst, limits.controlPerSecond, now),
    reader: createFrameReader(),
    decoder: createHpackDecoder(hpackTableBytes),
    output: createOutput(options.pool, link.write),
    streams: new Map(),
    resets: new Set(),
    waiting: new Set(),
    orphans: 0,
    block: undefined,
    state: 'open',
    lastStreamId: 0,
    announcedStreamId: maxStreamId,
    hasSettings: false,
    hasAcknowledged: false,
    earlyRefusals,
    owesTableSize: false,
    sendWindow: defaultWindowBytes,
    initialWindow: defaultWindowBytes,
    receiveWindow: connectionWindowBytes,
    uncreditedBytes: 0,
    unsentBytes: 0,
    isReading: true,
    isFlushDue: false,
    at: toTimes(now),
  }
}

function toTimes(nowMs: number): Times {
  return {
    nowMs,
    openedMs: nowMs,
    heardMs: nowMs,
    activeMs: nowMs,
    partMs: 0,
    progressMs: nowMs,
    pingedMs: 0,
    drainedMs: 0,
  }
}

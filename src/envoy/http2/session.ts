import type { Phase } from '../../base/http/connection-limit.ts'
import type { ConnectionFault } from '../../base/model/event.ts'
import { type MemoryAccount, openMemoryAccount, type SharedMemory } from '../memory.ts'
import { createFrameReader, type FrameReader } from './frame-reader.ts'
import { maxStreamId } from './frames.ts'
import { createHpackDecoder, type HpackDecoder } from './hpack-decoder.ts'
import type { Limits } from './limits.ts'
import type { Methods } from './method.ts'
import { type BufferPool, createOutput, type Output } from './output.ts'
import type { Stream } from './stream.ts'
import { createTokenBucket, type TokenBucket } from './token-bucket.ts'

/** The connection below a session. */
export type Link = {
  /** Passes bytes on; says whether they may be overwritten when it returns. */
  readonly write: (bytes: Buffer) => boolean
  /** Bytes that the kernel has not taken yet. */
  readonly unsentBytes: () => number
  readonly setReading: (isReading: boolean) => void
  /** Closes when everything is sent. */
  readonly end: () => void
  /** Closes now. */
  readonly destroy: () => void
}

/** What a session is given. */
export type SessionOptions = {
  readonly limits: Limits
  readonly methods: Methods
  readonly link: Link
  /** Where the client comes from; the empty string on a Unix socket. */
  readonly address: string
  readonly tlsPeerUris: readonly string[]
  /** Monotonic clock: a step of the wall clock neither ends a call nor holds one open. */
  readonly elapsedMs: () => number
  readonly memory: SharedMemory
  readonly pool: BufferPool
  /** Hears of a fault of ours, which ends the session. */
  readonly onFault: (cause: unknown) => void
  /** Hears why we end a session that its client has not ended. */
  readonly onEnded: (why: ConnectionFault) => void
}

/** A header block of which CONTINUATION frames are still to come. */
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
 * One HTTP/2 connection, apart from its socket and its timers, so that it can be driven by bytes and a clock. `draining` has said
 * GOAWAY but still takes calls that crossed it; `refusing` takes none; `closed` says and hears nothing.
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
  /** Streams that we reset lately: what crossed our reset is no mistake. */
  readonly resets: Set<number>
  /** Streams whose answer waits for the connection's window, not for their own. */
  readonly waiting: Set<Stream>
  /** Handlers at work for streams that are gone: a reset frees no place while its call still costs us. */
  orphans: number
  block: OpenBlock | undefined
  state: 'open' | 'draining' | 'refusing' | 'closed'
  lastStreamId: number
  /** The last stream that we have said we serve. */
  announcedStreamId: number
  hasSettings: boolean
  hasAcknowledged: boolean
  /** Streams above the limit that a client may open before it can know the limit. */
  earlyRefusals: number
  /** The peer has made its table smaller, and must hear that ours is empty. */
  owesTableSize: boolean
  /** What we may send, and what a new stream may. */
  sendWindow: number
  initialWindow: number
  /** What the peer may send, and what it has sent without having been told that it may again. */
  receiveWindow: number
  uncreditedBytes: number
  /** Bytes on their way out that `memory` counts. */
  unsentBytes: number
  isReading: boolean
  isFlushDue: boolean
  readonly at: Times
}

/** When things happened, by the session's monotonic clock; 0 is never. */
export type Times = {
  /** The clock as it was last read. */
  nowMs: number
  readonly openedMs: number
  heardMs: number
  /** The last time that there was a call. */
  activeMs: number
  /** Since when the part of a frame that has arrived waits for the rest. */
  partMs: number
  /** The last time that the kernel took something, or had nothing left to take. */
  progressMs: number
  pingedMs: number
  drainedMs: number
}

/** What its connection does. A request that is not whole, and a watch, keep no connection that another one needs. */
export function phaseOf({ streams, orphans, at, hasSettings }: Session): Phase {
  if (orphans > 0) return 'busy'
  for (const stream of streams.values()) if (stream.isRunning) return 'busy'
  return hasSettings && at.activeMs > at.openedMs ? 'idle' : 'unfinished'
}

/** Whether a stream has never been opened. We open none, so those that only we could open never are (RFC 9113 §5.1.1). */
export function isIdle({ lastStreamId }: Session, streamId: number): boolean {
  return streamId > lastStreamId || (streamId & 1) === 0
}

/** RFC 9113 §6.9.2. */
export const defaultWindowBytes = 65_535

/** What a peer may send before we let it go on. */
export const connectionWindowBytes: number = 1024 * 1024

const hpackTableBytes = 4096
const earlyRefusals = 10_000

/** A session that has neither said nor heard anything. */
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

import { type CallLimits, defaultCallLimits } from '../limits.ts'

/** The limits of a connection: those of both transports, and further ones that only our own HTTP/2 server can enforce. */
export type Limits = CallLimits & {
  /** The maximum number of open calls on one connection. */
  readonly maxStreams: number
  /** A header block as sent, and its decoded list. */
  readonly maxHeaderBlockBytes: number
  readonly maxHeaderListBytes: number
  readonly maxHeaderFields: number
  readonly maxContinuations: number
  /** Frames that cost work and bring no call: PING, SETTINGS, PRIORITY, resets, small DATA and so on. */
  readonly controlBurst: number
  readonly controlPerSecond: number
  /** Reading pauses above this number of unsent bytes. */
  readonly pauseAboveBytes: number
  readonly maxAgeMs: number
  readonly maxAgeGraceMs: number
}

/** Limits far above the use of an honest Envoy. */
export const defaultLimits: Limits = {
  ...defaultCallLimits,
  maxStreams: 1000,
  maxHeaderBlockBytes: 32 * 1024,
  maxHeaderListBytes: 64 * 1024,
  maxHeaderFields: 256,
  maxContinuations: 8,
  controlBurst: 1000,
  controlPerSecond: 100,
  pauseAboveBytes: 256 * 1024,
  maxAgeMs: 600_000,
  maxAgeGraceMs: 30_000,
}

import { type CallLimits, defaultCallLimits } from '../limits.ts'

/** What a connection may cost us: beside what holds for both transports, what only an HTTP/2 of our own can bound. */
export type Limits = CallLimits & {
  /** Calls under way at once on one connection. */
  readonly maxStreams: number
  /** A header block as it is sent, and the list that it decodes to. */
  readonly maxHeaderBlockBytes: number
  readonly maxHeaderListBytes: number
  readonly maxHeaderFields: number
  readonly maxContinuations: number
  /** Frames that cost us something and bring no call: PING, SETTINGS, PRIORITY, resets, small DATA and the like. */
  readonly controlBurst: number
  readonly controlPerSecond: number
  /** Bytes on their way out above which we stop reading. */
  readonly pauseAboveBytes: number
  readonly maxAgeMs: number
  readonly maxAgeGraceMs: number
}

/** Limits that no honest Envoy comes near. */
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

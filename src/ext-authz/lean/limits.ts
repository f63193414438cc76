/** What a connection may cost us. Bytes, milliseconds, counts. */
export type Limits = {
  /** Calls under way at once on one connection. */
  readonly maxStreams: number
  readonly maxMessageBytes: number
  /** A header block as it is sent, and the list that it decodes to. */
  readonly maxHeaderBlockBytes: number
  readonly maxHeaderListBytes: number
  readonly maxHeaderFields: number
  readonly maxContinuations: number
  /** Frames that cost us something and bring no call: PING, SETTINGS, PRIORITY, resets, small DATA and the like. */
  readonly controlBurst: number
  readonly controlPerSecond: number
  readonly maxConnections: number
  /** Bytes held for one peer, and for all: heads, parts of messages, and answers not yet taken. */
  readonly maxConnectionBytes: number
  readonly maxTotalBytes: number
  /** Bytes on their way out above which we stop reading. */
  readonly pauseAboveBytes: number
  /** For the preface, the first SETTINGS and the acknowledgement of ours, and for a TLS handshake. */
  readonly prefaceMs: number
  /** For a header block, a frame, and a whole request, each from its first byte. */
  readonly requestMs: number
  /** How long an answer may wait for a peer that does not take it. */
  readonly stalledMs: number
  /** Without any call. */
  readonly idleMs: number
  /** Silence after which we ask whether the peer is there, and how long it may take to say so. */
  readonly keepaliveMs: number
  readonly keepaliveTimeoutMs: number
  readonly maxAgeMs: number
  readonly maxAgeGraceMs: number
}

/** Limits that no honest Envoy comes near. */
export const defaultLimits: Limits = {
  maxStreams: 1000,
  maxMessageBytes: 4 * 1024 * 1024,
  maxHeaderBlockBytes: 32 * 1024,
  maxHeaderListBytes: 64 * 1024,
  maxHeaderFields: 256,
  maxContinuations: 8,
  controlBurst: 1000,
  controlPerSecond: 100,
  maxConnections: 1024,
  maxConnectionBytes: 16 * 1024 * 1024,
  maxTotalBytes: 64 * 1024 * 1024,
  pauseAboveBytes: 256 * 1024,
  prefaceMs: 5000,
  requestMs: 10_000,
  stalledMs: 15_000,
  idleMs: 300_000,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 10_000,
  maxAgeMs: 600_000,
  maxAgeGraceMs: 30_000,
}

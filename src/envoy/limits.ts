/** What clients may cost us, the same for both transports. Bytes, milliseconds, counts. */
export type CallLimits = {
  readonly maxMessageBytes: number
  /** Connections of one listener; of these no address holds more than it leaves free. */
  readonly maxConnections: number
  /** Bytes held for one connection, and for all connections of all listeners: heads, parts of messages, answers not yet sent. */
  readonly maxConnectionBytes: number
  readonly maxTotalBytes: number
  /** For the preface and the first SETTINGS, and for a TLS handshake. */
  readonly prefaceMs: number
  /** For a whole request, from the first byte of its head to the last of its message. */
  readonly requestMs: number
  /** How long an answer may wait for a client that does not read it. */
  readonly stalledMs: number
  /** Without any call. */
  readonly idleMs: number
  /** Silence after which we ask whether the client is there, and how long it may take to answer. */
  readonly keepaliveMs: number
  readonly keepaliveTimeoutMs: number
}

/** Limits that no honest Envoy comes near. */
export const defaultCallLimits: CallLimits = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxConnections: 1024,
  maxConnectionBytes: 16 * 1024 * 1024,
  maxTotalBytes: 64 * 1024 * 1024,
  prefaceMs: 5000,
  requestMs: 10_000,
  stalledMs: 15_000,
  idleMs: 300_000,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 10_000,
}

/** How often what takes too long is looked for. */
export const tickMs = 100

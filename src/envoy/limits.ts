/** The limits for clients of both transports, in bytes, milliseconds and counts. */
export type CallLimits = {
  readonly maxMessageBytes: number
  /** The maximum number of connections of a listener. No address may hold more of them than it leaves free. */
  readonly maxConnections: number
  /**
   * The maximum bytes held for one connection, and for all connections of all listeners: heads, partial messages, unsent
   * answers.
   */
  readonly maxConnectionBytes: number
  readonly maxTotalBytes: number
  /** The time for the preface and first SETTINGS, and for a TLS handshake. */
  readonly prefaceMs: number
  /** The time for a whole request, from the first byte of its head to the last of its message. */
  readonly requestMs: number
  /** How long an answer may wait for a client that does not read. */
  readonly stalledMs: number
  /** The maximum time without a call. */
  readonly idleMs: number
  /** The silence before a keepalive ping, and the time to answer it. */
  readonly keepaliveMs: number
  readonly keepaliveTimeoutMs: number
}

/** Limits far above the use of an honest Envoy. */
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

/** The interval of checks for overdue work. */
export const tickMs = 100

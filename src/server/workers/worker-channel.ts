import * as v from 'valibot'
import type { Readiness } from '../admin/admin-server.ts'

/** A message from the primary to a worker. */
export type Order =
  /**
   * The worker's number, and the configuration text that the primary read. A file that changes meanwhile has no effect.
   */
  | { readonly kind: 'open'; readonly worker: number; readonly file: string; readonly text: string }
  /** Sent together with its socket. */
  | { readonly kind: 'connection'; readonly listener: number }
  | { readonly kind: 'measure' }
  | { readonly kind: 'drain'; readonly signal: string }
  /** The logs of all workers. Each worker names them in its own log, so that none can be removed unnoticed. */
  | { readonly kind: 'logs'; readonly logs: readonly string[] }
  /** End at once, as if the primary were gone. */
  | { readonly kind: 'stop' }

/** A message from a worker to the primary. */
export type WorkerMessage =
  /** With the name of the worker's log. */
  | { readonly kind: 'opened'; readonly log?: string | undefined }
  /** Sent at intervals, as a sign of life. */
  | { readonly kind: 'state'; readonly readiness: Readiness; readonly jwks: object }
  /** The oldest unconfirmed connection has arrived. */
  | { readonly kind: 'accepted' }
  /** A connection has ended. */
  | { readonly kind: 'closed' }
  /** The worker's metrics; `undefined` if they cannot be collected. */
  | { readonly kind: 'measured'; readonly text: string | undefined }

const texts = v.array(v.string())
const orderSchema = v.variant('kind', [
  v.object({ kind: v.literal('open'), worker: v.number(), file: v.string(), text: v.string() }),
  v.object({ kind: v.literal('connection'), listener: v.number() }),
  v.object({ kind: v.literal('measure') }),
  v.object({ kind: v.literal('drain'), signal: v.string() }),
  v.object({ kind: v.literal('logs'), logs: texts }),
  v.object({ kind: v.literal('stop') }),
])

const policySchema = v.object({
  source: v.string(),
  revision: v.undefinedable(v.string()),
  pinned: v.undefinedable(v.string()),
  confirmedSecondsAgo: v.undefinedable(v.number()),
  lastError: v.undefinedable(v.string()),
})
const readinessSchema = v.object({
  ready: v.boolean(),
  reasons: texts,
  notices: texts,
  policy: v.exactOptional(policySchema),
  shadow: v.optional(policySchema),
})

const messageSchema = v.variant('kind', [
  v.object({ kind: v.literal('opened'), log: v.optional(v.string()) }),
  v.object({
    kind: v.literal('state'),
    readiness: readinessSchema,
    jwks: v.record(v.string(), v.unknown()),
  }),
  v.object({ kind: v.literal('accepted') }),
  v.object({ kind: v.literal('closed') }),
  v.object({ kind: v.literal('measured'), text: v.undefinedable(v.string()) }),
])

/** Parses an order; `undefined` if it is not one. Only our own program is at the other end. */
export function parseOrder(message: unknown): Order | undefined {
  const parsed = v.safeParse(orderSchema, message)
  return parsed.success ? parsed.output : undefined
}

/** Parses a message; `undefined` if it is not one. */
export function parseWorkerMessage(message: unknown): WorkerMessage | undefined {
  const parsed = v.safeParse(messageSchema, message)
  return parsed.success ? parsed.output : undefined
}

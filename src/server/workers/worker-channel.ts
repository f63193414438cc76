import * as v from 'valibot'
import type { Readiness } from '../admin/admin-server.ts'

/** A message from the primary to a worker. */
export type Order =
  /** Which worker it is, and the configuration as the primary has read it: a file that changes meanwhile changes nothing. */
  | { readonly kind: 'open'; readonly worker: number; readonly file: string; readonly text: string }
  /** Comes with its socket. */
  | { readonly kind: 'connection'; readonly listener: number }
  | { readonly kind: 'measure' }
  | { readonly kind: 'drain'; readonly signal: string }
  /** The logs of all workers, which each names in its own: none can be removed unnoticed. */
  | { readonly kind: 'logs'; readonly logs: readonly string[] }
  /** End at once, as when the primary is gone. */
  | { readonly kind: 'stop' }

/** A message from a worker to the primary. */
export type WorkerMessage =
  /** With the name of its log. */
  | { readonly kind: 'opened'; readonly log?: string | undefined }
  /** Comes again and again, as a sign of life. */
  | { readonly kind: 'state'; readonly readiness: Readiness; readonly jwks: object }
  /** The connection that was handed over first of those not yet taken is here. */
  | { readonly kind: 'accepted' }
  /** A connection has ended. */
  | { readonly kind: 'closed' }
  /** Its metrics; `undefined` when it cannot tell them. */
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

/** Reads an order; `undefined` when it is none: nobody but our own program is at the other end. */
export function parseOrder(message: unknown): Order | undefined {
  const parsed = v.safeParse(orderSchema, message)
  return parsed.success ? parsed.output : undefined
}

/** Reads a message; `undefined` if it is not one. */
export function parseWorkerMessage(message: unknown): WorkerMessage | undefined {
  const parsed = v.safeParse(messageSchema, message)
  return parsed.success ? parsed.output : undefined
}

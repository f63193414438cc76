import * as v from 'valibot'
import type { Readiness } from '../admin/admin-server.ts'
import type { KeyFetch } from '../provider-keys/key-feed.ts'
import type { KeyState } from './shared-keys.ts'

/** A message from the primary to a worker. */
export type Order =
  /**
   * The worker's number, the configuration text that the primary read, and the providers' keys that it has fetched. A file
   * that changes meanwhile has no effect.
   */
  | {
      readonly kind: 'open'
      readonly worker: number
      readonly file: string
      readonly text: string
      readonly keys: readonly KeyState[]
    }
  /** The keys of a provider, or what is known of them, have changed. */
  | ({ readonly kind: 'keys' } & KeyState)
  /** The answer to `fetch_key` of this id. Sent after the keys that the fetch brought. */
  | { readonly kind: 'key_fetched'; readonly id: number; readonly fetched: KeyFetch }
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
  /** A token names a key that no set has. */
  | {
      readonly kind: 'fetch_key'
      readonly id: number
      readonly provider: string
      readonly kid: string
    }
  /** The worker's metrics; `undefined` if they cannot be collected. */
  | { readonly kind: 'measured'; readonly text: string | undefined }

const texts = v.array(v.string())
const keyState = {
  provider: v.string(),
  state: v.object({
    set: v.undefinedable(v.object({ text: v.string(), readAtMs: v.number() })),
    notices: texts,
  }),
}
const keyFetch = v.variant('kind', [
  v.object({ kind: v.literal('brought') }),
  v.object({ kind: v.literal('lacking') }),
  v.object({ kind: v.literal('failed') }),
  v.object({ kind: v.literal('too_soon'), retryMs: v.number() }),
])
const orderSchema = v.variant('kind', [
  v.object({
    kind: v.literal('open'),
    worker: v.number(),
    file: v.string(),
    text: v.string(),
    keys: v.array(v.object(keyState)),
  }),
  v.object({ kind: v.literal('keys'), ...keyState }),
  v.object({ kind: v.literal('key_fetched'), id: v.number(), fetched: keyFetch }),
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
  v.object({ kind: v.literal('fetch_key'), id: v.number(), provider: v.string(), kid: v.string() }),
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

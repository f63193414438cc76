/** A span's ids in lower-case hex, 32 and 16 digits. */
export type SpanContext = { readonly traceId: string; readonly spanId: string }

/** The attributes of a span; lists contain only text. */
export type SpanAttributes = Readonly<Record<string, string | boolean | readonly string[]>>

/** An ended span; times are milliseconds since the epoch, with fractions. */
export type Span = SpanContext & {
  readonly name: string
  readonly kind: 'server' | 'internal'
  readonly parent: { readonly spanId: string; readonly isRemote: boolean } | undefined
  readonly traceState?: string | undefined
  readonly startedMs: number
  readonly endedMs: number
  /** The fault that prevented a decision; a refusal is none. */
  readonly error?: string | undefined
  readonly attributes: SpanAttributes
  readonly links: readonly SpanContext[]
}

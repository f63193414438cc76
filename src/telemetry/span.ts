/** One span among all: ids in lower-case hex, of 32 and 16 digits. */
export type SpanContext = { readonly traceId: string; readonly spanId: string }

/** What a span says about itself; lists of text only. */
export type SpanAttributes = Readonly<Record<string, string | boolean | readonly string[]>>

/** A span that has ended; times in milliseconds since the epoch, with fractions. */
export type Span = SpanContext & {
  readonly name: string
  readonly kind: 'server' | 'internal'
  readonly parent: { readonly spanId: string; readonly isRemote: boolean } | undefined
  readonly traceState?: string | undefined
  readonly startedMs: number
  readonly endedMs: number
  /** What kept us from doing our work; a refusal is our work. */
  readonly error?: string | undefined
  readonly attributes: SpanAttributes
  readonly links: readonly SpanContext[]
}

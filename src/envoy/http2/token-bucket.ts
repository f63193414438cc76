/** Frames that are cheap to send and cost us something draw on one allowance, which grows with time and with calls served. */
export type TokenBucket = {
  readonly burst: number
  readonly perSecond: number
  tokens: number
  filledAtMs: number
}

/** A full bucket. */
export function createTokenBucket(burst: number, perSecond: number, nowMs: number): TokenBucket {
  return { burst, perSecond, tokens: burst, filledAtMs: nowMs }
}

/** Takes tokens; false when there are too few, which leaves none. */
export function spend(bucket: TokenBucket, tokens: number, nowMs: number): boolean {
  const elapsedMs = Math.max(0, nowMs - bucket.filledAtMs)
  bucket.filledAtMs = nowMs
  bucket.tokens = Math.min(bucket.burst, bucket.tokens + (elapsedMs * bucket.perSecond) / 1000) - tokens
  if (bucket.tokens >= 0) return true
  bucket.tokens = 0
  return false
}

/** Gives tokens for work that was really done. */
export function earn(bucket: TokenBucket, tokens: number): void {
  bucket.tokens = Math.min(bucket.burst, bucket.tokens + tokens)
}

/** An allowance for frames that are cheap to send and costly to handle. It grows with time and with answered calls. */
export type TokenBucket = {
  readonly burst: number
  readonly perSecond: number
  tokens: number
  filledAtMs: number
}

/** Creates a full bucket. */
export function createTokenBucket(burst: number, perSecond: number, nowMs: number): TokenBucket {
  return { burst, perSecond, tokens: burst, filledAtMs: nowMs }
}

/** Takes tokens; false if there are too few, and then the bucket is empty. */
export function spend(bucket: TokenBucket, tokens: number, nowMs: number): boolean {
  const elapsedMs = Math.max(0, nowMs - bucket.filledAtMs)
  bucket.filledAtMs = nowMs
  bucket.tokens = Math.min(bucket.burst, bucket.tokens + (elapsedMs * bucket.perSecond) / 1000) - tokens
  if (bucket.tokens >= 0) return true
  bucket.tokens = 0
  return false
}

/** Adds tokens for completed work. */
export function earn(bucket: TokenBucket, tokens: number): void {
  bucket.tokens = Math.min(bucket.burst, bucket.tokens + tokens)
}

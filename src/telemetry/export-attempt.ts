import { type Invalid, isInvalid } from '../base/model/invalid.ts'

/** The endpoint, and the headers of its requests. */
export type ExportTarget = {
  readonly url: string
  /** Header values are secrets, read for each request so that a renewed file is used at once. */
  readonly headers: () => Promise<ReadonlyMap<string, string> | Invalid>
  readonly timeoutMs: number
  /** Returns how many items an accepting answer rejected; throws if the answer is not OTLP. */
  readonly readRejected: (answer: Uint8Array) => number
}

/** The result of one attempt; `refused` means that a retry would be refused too. */
export type ExportOutcome =
  | { readonly kind: 'accepted'; readonly rejected: number }
  | { readonly kind: 'refused' | 'unreachable'; readonly reason: string }

const retryableStatuses: readonly number[] = [408, 429, 502, 503, 504]
const maxAnswerBytes = 64 * 1024

/** Posts once by OTLP over HTTP. Never rejects, and never takes longer than the timeout. */
export async function attemptExport(body: Uint8Array, target: ExportTarget): Promise<ExportOutcome> {
  try {
    const headers = await target.headers()
    if (isInvalid(headers)) return { kind: 'unreachable', reason: headers.reason }
    return await post(body, headers, target)
  } catch (cause) {
    return { kind: 'unreachable', reason: describe(cause) }
  }
}

async function post(
  body: Uint8Array,
  headers: ReadonlyMap<string, string>,
  { url, timeoutMs, readRejected }: ExportTarget,
): Promise<ExportOutcome> {
  const response = await fetch(url, {
    method: 'POST',
    headers: [...headers, ['content-type', 'application/x-protobuf']],
    body,
    // A redirect would send the headers to an endpoint that is not configured.
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  })
  const answer = await readBounded(response)
  const { status } = response
  if (retryableStatuses.includes(status)) return { kind: 'unreachable', reason: `answered ${status}` }
  if (!response.ok) return { kind: 'refused', reason: `answered ${status}` }
  return readAnswer(answer, response.headers.get('content-type') ?? '', readRejected)
}

/** A web page under the wrong URL also answers 200, so the body is checked. */
function readAnswer(
  answer: Uint8Array | undefined,
  contentType: string,
  readRejected: ExportTarget['readRejected'],
): ExportOutcome {
  const isProtobuf = contentType.startsWith('application/x-protobuf')
  if (contentType.startsWith('application/json') || answer?.length === 0)
    return { kind: 'accepted', rejected: 0 }
  if (!isProtobuf || answer === undefined)
    return { kind: 'refused', reason: 'answered 200 without an OTLP answer; is this the right URL?' }
  try {
    return { kind: 'accepted', rejected: readRejected(answer) }
  } catch {
    return { kind: 'refused', reason: 'answered 200 with bytes that are no OTLP answer' }
  }
}

/** Returns the body; `undefined` if it is longer than any valid answer. */
async function readBounded({ body }: Response): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    length += chunk.length
    if (length > maxAnswerBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Returns the innermost error code, because `fetch failed` alone says nothing and messages may quote sent data. */
function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return 'failed'
  if (cause.name === 'TimeoutError') return 'no answer in time'
  const inner = cause.cause instanceof Error ? cause.cause : cause
  return 'code' in inner ? String(inner.code) : inner.name
}

import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { describeCause, type Fault, fault, isFault } from '../../base/model/fault.ts'

/** How long a fetch may take from its beginning to its last byte, and how much it may bring. */
export type FetchLimits = { readonly timeoutMs: number; readonly maxBytes: number }

/** For the documents of an identity provider. */
export const providerLimits: FetchLimits = { timeoutMs: 5000, maxBytes: 256 * 1024 }

/**
 * Fetches a document over https; `ca` is the PEM text of the CAs to trust, those of Node.js when `undefined`. Redirects are
 * refused: they would lead to a place that nobody configured. Ends early when `closing` does. Never rejects.
 */
export function fetchText(
  url: string,
  ca: string | undefined,
  closing: AbortSignal,
  { timeoutMs, maxBytes }: FetchLimits = providerLimits,
): Promise<string | Fault> {
  return new Promise((resolve) => {
    const options = {
      ca,
      // The environment can switch verification off for the whole process. Not for keys that decide who is believed.
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2' as const,
      agent: false as const,
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), closing]),
      headers: { accept: 'application/json', 'accept-encoding': 'identity' },
    }
    const fail = (reason: string): void => resolve(fault(`${url}: ${reason}`))
    const failBy = (cause: unknown): void =>
      fail(options.signal.aborted ? `no whole answer within ${timeoutMs / 1000} s` : describeCause(cause))
    const sent = request(url, options, (response) => {
      const refusal = refuseHead(response)
      if (refusal !== undefined) {
        fail(refusal)
        sent.destroy()
        return
      }
      readBody(response, maxBytes).then((text) => {
        if (isFault(text)) fail(text.reason)
        else resolve(text)
        sent.destroy()
      }, failBy)
    })
    sent.on('error', failBy)
    sent.end()
  })
}

function refuseHead({ statusCode = 0, headers }: IncomingMessage): string | undefined {
  if (statusCode >= 300 && statusCode < 400)
    return `answered ${statusCode}, a redirect, which is not followed; name the URL to which it leads`
  if (statusCode !== 200) return `answered ${statusCode}, expected 200`
  const encoding = headers['content-encoding']
  return encoding === undefined || encoding === 'identity'
    ? undefined
    : `answered with the encoding \`${encoding}\`, which was not asked for`
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<string | Fault> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    const part = Buffer.from(chunk)
    bytes += part.length
    if (bytes > maxBytes) return fault(`answered with more than ${maxBytes} bytes`)
    chunks.push(part)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    return fault('answered with bytes that are not UTF-8')
  }
}

import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { expect } from 'chai'
import { isFault } from '../../../src/base/model/fault.ts'
import { fetchText, providerLimits } from '../../../src/server/provider-keys/fetch-text.ts'
import { until } from '../../support/followed-provider.ts'
import { createProviderKey, startProvider } from '../../support/provider.ts'

const open = new AbortController().signal

/** Fetches what the stand-in answers at `/a`. */
async function fetchFrom(answer: (response: ServerResponse) => void, timeoutMs = 60_000, closing = open) {
  await using provider = await startProvider(createProviderKey())
  provider.answers.set('/a', answer)
  const limits = { timeoutMs, maxBytes: 1000 }
  return await fetchText(`${provider.origin}/a`, readFileSync(provider.ca, 'utf8'), closing, limits)
}

describe('server/provider-keys/fetch-text', () => {
  it('allows a provider 256 KiB in 5 s', () => {
    expect(providerLimits).to.deep.equal({ timeoutMs: 5000, maxBytes: 256 * 1024 })
  })

  for (const { bytes, isTaken } of [
    { bytes: 1000, isTaken: true },
    { bytes: 1001, isTaken: false },
  ]) {
    it(`${isTaken ? 'takes' : 'refuses'} ${bytes} of 1000 bytes`, async () => {
      const text = await fetchFrom((response) => response.end('x'.repeat(bytes)))
      expect(isFault(text)).to.equal(!isTaken)
    })
  }

  const slow: readonly (readonly [string, (response: ServerResponse) => void])[] = [
    ['never answers', () => {}],
    ['never ends', (response) => void response.write('{')],
    [
      'sends a byte now and then',
      (response) => {
        const timer = setInterval(() => response.write(' '), 5)
        response.on('close', () => clearInterval(timer))
      },
    ],
  ]
  for (const [name, answer] of slow) {
    it(`waits no longer than it may for a provider that ${name}`, async () => {
      const text = await fetchFrom(answer, 100)
      expect(isFault(text) ? text.reason : text).to.include('within 0.1 s')
    })
  }

  it('ends at once when the process does', async () => {
    const closing = new AbortController()
    let isAsked = false
    const fetched = fetchFrom(
      () => {
        isAsked = true
      },
      60_000,
      closing.signal,
    )
    await until(() => isAsked)
    closing.abort()
    expect(isFault(await fetched)).to.equal(true)
  })
})

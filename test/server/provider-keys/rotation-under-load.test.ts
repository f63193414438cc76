import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import { follow, type Login, login } from '../../support/followed-provider.ts'
import { createProviderKey, type ProviderKey, startProvider, tokenBy } from '../../support/provider.ts'
import type { RunningApp } from '../../support/running-app.ts'

const [first, second] = [createProviderKey(), createProviderKey()]

/** A login of the load: when it began, and what came of it. */
type Attempt = {
  readonly token: string
  readonly isNew: boolean
  readonly startedMs: number
  readonly login: Login
}

/** As many logins a second as this machine answers with ease, at most 200. */
async function rateOf(running: RunningApp): Promise<number> {
  const tokens = Array.from({ length: 50 }, (_, index) => tokenBy(first, { jti: `trial-${index}` }))
  const startedMs = performance.now()
  for (const token of tokens) await login(running, token)
  return Math.min(200, (tokens.length * 250) / (performance.now() - startedMs))
}

describe('server/provider-keys, a provider that rotates under load', function () {
  this.timeout(120_000)

  it('refuses by `token_key_unknown` alone, nobody after the first fetch, and each wins by one retry', async () => {
    await using provider = await startProvider(first)
    await using running = await follow(provider, {}, { deadlineMs: 2500 })
    const rate = await rateOf(running)
    let key: ProviderKey = first
    let count = 0
    const attempts: Promise<void>[] = []
    const settled: Attempt[] = []
    const begin = async (): Promise<void> => {
      const [token, isNew, startedMs] = [
        tokenBy(key, { jti: `${count++}` }),
        key === second,
        performance.now(),
      ]
      settled.push({ token, isNew, startedMs, login: await login(running, token) })
    }
    const load = async (isOver: () => boolean): Promise<void> => {
      while (!isOver()) {
        attempts.push(begin())
        await wait(1000 / rate)
      }
    }
    await load(() => count === 40)
    // From here on the provider signs with the new key, and takes long to publish it.
    let answer = (): void => {}
    provider.answers.set('/jwks', (response) => {
      answer = () => response.end(JSON.stringify({ keys: [first.jwk, second.jwk] }))
    })
    key = second
    await load(() => settled.filter(({ login: { code } }) => code !== 'ok').length >= 20)
    answer()
    await load(() => settled.some((attempt) => attempt.isNew && attempt.login.code === 'ok'))
    const fetchedMs = performance.now()
    const begun = count
    await load(() => count === begun + 40)
    await Promise.all(attempts)
    const refused = settled.filter((attempt) => attempt.login.code !== 'ok')
    for (const attempt of refused) {
      expect(attempt.login).to.deep.equal({ code: 'token_key_unknown', httpStatus: 503, retryAfter: '1' })
      expect(attempt.isNew).to.equal(true)
      expect(attempt.startedMs).to.be.lessThan(fetchedMs)
    }
    const retried = await Promise.all(refused.map(({ token }) => login(running, token)))
    expect(retried.filter(({ code }) => code !== 'ok')).to.deep.equal([])
    expect(provider.asked).to.deep.equal(['/jwks', '/jwks'])
  })
})

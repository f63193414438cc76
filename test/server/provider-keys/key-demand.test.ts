import { expect } from 'chai'
import { deny } from '../../../src/base/model/decision.ts'
import type { KeyNeed } from '../../../src/base/model/need.ts'
import { elapsedMs } from '../../../src/server/by-deadline.ts'
import {
  createKeyDemand,
  type KeyDemand,
  type KeyDemandOptions,
} from '../../../src/server/provider-keys/key-demand.ts'
import type { KeyFetch } from '../../../src/server/provider-keys/key-feed.ts'

function needOf(kid: string): KeyNeed {
  const unmet = { ...deny('token_key_unknown', 'none'), issuer: 'hospital' }
  return { kind: 'need', what: 'provider_key', key: kid, issuer: 'hospital', kid, unmet }
}

/** A demand whose fetches are counted, on a clock that the test moves. */
function build(answer: (kid: string) => Promise<KeyFetch>, overlay: Partial<KeyDemandOptions> = {}) {
  const seen = { fetches: 0, misses: 0, nowMs: 1000 }
  const demand: KeyDemand = createKeyDemand({
    fetchKey(kid) {
      seen.fetches++
      return answer(kid)
    },
    cooldownMs: 10_000,
    maxWaiting: 1000,
    elapsedMs: () => seen.nowMs,
    onMiss: () => seen.misses++,
    ...overlay,
  })
  return { ask: async (kid: string) => demand(needOf(kid), elapsedMs() + 60_000), demand, seen }
}

describe('server/provider-keys/key-demand', () => {
  it('says nothing against a key that a fetch has brought', async () => {
    const { ask, seen } = build(async () => ({ kind: 'brought' }))
    expect(await ask('a')).to.equal(undefined)
    expect(seen).to.include({ fetches: 1, misses: 1 })
  })

  it('answers at once for a key that a fetch did not bring, until the cooldown is over', async () => {
    const { ask, demand, seen } = build(async () => ({ kind: 'lacking' }))
    expect(await ask('a')).to.include({
      code: 'token_key_unknown',
      issuer: 'hospital',
      retryAfterSeconds: 10,
    })
    seen.nowMs += 4000
    expect(demand(needOf('a'), 0)).to.include({ code: 'token_key_unknown', retryAfterSeconds: 6 })
    seen.nowMs += 6001
    await ask('a')
    expect(seen.fetches).to.equal(2)
  })

  it('remembers nothing of a fetch that failed', async () => {
    const { ask, seen } = build(async () => ({ kind: 'failed' }))
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(await ask('a')).to.include({ code: 'token_key_unknown', retryAfterSeconds: 1 })
      expect(seen.fetches).to.equal(attempt)
    }
  })

  it('asks for no key while no fetch is due', async () => {
    const { ask, demand, seen } = build(async () => ({ kind: 'too_soon', retryMs: 3000 }))
    expect(await ask('a')).to.include({ retryAfterSeconds: 3 })
    expect(demand(needOf('b'), 0)).to.include({ code: 'token_key_unknown', retryAfterSeconds: 3 })
    expect(seen.fetches).to.equal(1)
    seen.nowMs += 3001
    await ask('b')
    expect(seen.fetches).to.equal(2)
  })

  it('lets no more wait than may, and answers the others at once', async () => {
    let end = (): void => {}
    const fetched = new Promise<KeyFetch>((resolve) => {
      end = () => resolve({ kind: 'brought' })
    })
    const { ask, demand } = build(() => fetched, { maxWaiting: 2 })
    const waiting = [ask('a'), ask('b')]
    expect(demand(needOf('c'), 0)).to.include({ code: 'token_key_unknown', retryAfterSeconds: 1 })
    end()
    expect(await Promise.all(waiting)).to.deep.equal([undefined, undefined])
    expect(await ask('c')).to.equal(undefined)
  })

  it('answers by the deadline of the check, and learns what the fetch brings later', async () => {
    let end = (): void => {}
    const fetched = new Promise<KeyFetch>((resolve) => {
      end = () => resolve({ kind: 'lacking' })
    })
    const { demand } = build(() => fetched)
    expect(await demand(needOf('a'), elapsedMs() + 5)).to.include({
      code: 'token_key_unknown',
      retryAfterSeconds: 1,
    })
    end()
    await fetched
    await new Promise((resolve) => setImmediate(resolve))
    expect(demand(needOf('a'), 0)).to.include({ retryAfterSeconds: 10 })
  })

  it('remembers a thousand unknown keys of ten thousand', async () => {
    const { ask, seen } = build(async () => ({ kind: 'lacking' }), { maxWaiting: 20_000 })
    const all = Array.from({ length: 10_000 }, (_, index) => `k${index}`)
    await Promise.all(all.map(ask))
    expect(seen.fetches).to.equal(10_000)
    await Promise.all(all.slice(-1000).map(ask))
    expect(seen.fetches).to.equal(10_000)
    await ask('k0')
    expect(seen.fetches).to.equal(10_001)
  })
})

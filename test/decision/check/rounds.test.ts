import { expect } from 'chai'
import { deny } from '../../../src/base/model/decision.ts'
import type { Need } from '../../../src/base/model/need.ts'
import { noRevocations, parseRevocations } from '../../../src/decision/chain/revocations.ts'
import type { CheckShell } from '../../../src/decision/check/check.ts'
import { parseProviderKeys, unknownKeys } from '../../../src/decision/jws/provider-keys.ts'
import { buildChecker, factsOf, openAdmission, requestOfD } from '../../support/built-checker.ts'
import { good, readJwks } from '../../support/forge.ts'
import { nowMs, uris } from '../../support/hospital.ts'
import { userToken } from '../../support/places.ts'
import { meetAtOnce } from '../../support/proofs.ts'

const known = good(parseProviderKeys(readJwks('hospital-idp')))

/** A login whose key nobody knows before it is fetched. */
function login() {
  const request = requestOfD({ authorization: [`Bearer ${userToken()}`] })
  const xfcc = `By=${uris.waypoint};URI=${uris.gateway}`
  return { ...request, headers: new Map([...request.headers, ['x-forwarded-client-cert', [xfcc]]]) }
}

type Fetch = (need: Need, byMs: number) => ReturnType<CheckShell['meet']>

/** A checker whose provider has keys once they were fetched, and what it did. */
function build(fetch: Fetch, overlay: Parameters<typeof buildChecker>[0] = {}) {
  const state = { keys: unknownKeys, needs: [] as Need[], facts: 0, moments: [] as number[] }
  const checker = buildChecker({
    facts(revision, atMs) {
      state.facts++
      state.moments.push(atMs)
      const { issuers } = factsOf()
      return factsOf(
        { issuers: issuers.map((issuer) => ({ ...issuer, keys: state.keys, canFetchKeys: true })) },
        revision,
        atMs,
      )
    },
    meet(need, byMs) {
      if (need.what === 'provider_proof') return meetAtOnce(need)
      state.needs.push(need)
      return fetch(need, byMs)
    },
    ...overlay,
  })
  const bring = (): undefined => {
    state.keys = known
    return undefined
  }
  return { checker, state, bring }
}

const codeOf = (answer: object) => ('code' in answer ? answer.code : 'allow')

describe('decision/check/rounds', () => {
  it('asks again with the fact that was missing, and waits only for what has to be waited for', async () => {
    for (const isWaiting of [false, true]) {
      const built = build(() => (isWaiting ? Promise.resolve().then(() => built.bring()) : built.bring()))
      const answered = built.checker.check(login(), Number.POSITIVE_INFINITY)
      expect(answered instanceof Promise).to.equal(isWaiting)
      expect(codeOf(await answered)).not.to.match(/^token_/)
      expect(built.state.needs).to.have.length(1)
      expect(built.checker.records).to.have.length(1)
    }
  })

  it('fetches a fact once: the same need again is a denial', async () => {
    const built = build(async () => undefined)
    expect(codeOf(await built.checker.check(login(), Number.POSITIVE_INFINITY))).to.equal('token_key_unknown')
    expect(built.state.needs).to.have.length(1)
    expect(built.state.facts).to.equal(2)
  })

  it('answers what the fetch says', async () => {
    const built = build(async (need) => ({ ...need.unmet, retryAfterSeconds: 7 }))
    expect(await built.checker.check(login(), Number.POSITIVE_INFINITY)).to.include({
      code: 'token_key_unknown',
      retryAfterSeconds: 7,
    })
  })

  it('keeps the wall clock and the revision of the first round, and reads all else anew', async () => {
    let now = nowMs
    const built = build(
      async () => {
        now += 3_600_000
        return built.bring()
      },
      { nowMs: () => now },
    )
    await built.checker.check(login(), Number.POSITIVE_INFINITY)
    expect(new Set(built.state.moments)).to.deep.equal(new Set([nowMs]))
  })

  it('sees a revocation that comes while it waits', async () => {
    let revocations = noRevocations
    const { checker } = build(
      async () => {
        revocations = good(
          parseRevocations(JSON.stringify({ version: 1, entries: [{ actor: uris.gateway }] })),
        )
        return undefined
      },
      {
        facts: (revision, atMs) => {
          const { issuers } = factsOf()
          const keys = revocations === noRevocations ? unknownKeys : known
          return factsOf(
            { issuers: issuers.map((issuer) => ({ ...issuer, keys, canFetchKeys: true })), revocations },
            revision,
            atMs,
          )
        },
      },
    )
    expect(codeOf(await checker.check(login(), Number.POSITIVE_INFINITY))).to.equal('chain_revoked')
  })

  it('gives a fetch nine tenths of the time that is left, and no allow after the deadline', async () => {
    let elapsed = 100
    const asked: number[] = []
    const built = build(
      async (_need, byMs) => {
        asked.push(byMs)
        elapsed = 1101
        return built.bring()
      },
      { elapsedMs: () => elapsed },
    )
    expect(codeOf(await built.checker.check(login(), 1100))).to.equal('token_key_unknown')
    expect(asked).to.deep.equal([1000])
  })

  it('holds a place of its caller while it waits, and gives it back', async () => {
    let end = (): void => {}
    const wait = new Promise<void>((resolve) => {
      end = resolve
    })
    const admission = openAdmission(2)
    const built = build(() => wait.then(() => built.bring()), { admission })
    const first = built.checker.check(login(), Number.POSITIVE_INFINITY)
    expect(codeOf(await built.checker.check(login(), Number.POSITIVE_INFINITY))).to.equal('overloaded')
    end()
    await first
    expect(codeOf(await built.checker.check(login(), Number.POSITIVE_INFINITY))).not.to.equal('overloaded')
  })

  it('counts a check once, however often it asks, and all of its work', async () => {
    const charged: (readonly number[])[] = []
    const admission = {
      ...openAdmission(),
      charge: (_caller: object, workMs: number, checks = 1) => void charged.push([workMs, checks]),
    }
    let elapsed = 0
    const built = build(
      async () => {
        elapsed += 1000
        return built.bring()
      },
      { admission, elapsedMs: () => elapsed++ },
    )
    await built.checker.check(login(), Number.POSITIVE_INFINITY)
    expect(charged.map(([, checks]) => checks)).to.deep.equal([1, 0, 0])
    for (const [workMs] of charged) expect(workMs).to.be.lessThan(1000)
  })

  it('becomes a fault of ours when a fetch throws', async () => {
    const built = build(() => Promise.reject(new TypeError('broken')))
    const answered = await Promise.resolve(built.checker.check(login(), Number.POSITIVE_INFINITY)).then(
      () => 'answered',
      (cause: unknown) => String(cause),
    )
    expect(answered).to.equal('TypeError: broken')
  })

  it('tells who reads metrics whose token it was', async () => {
    const built = build(async () => deny('token_key_unknown', 'none'))
    await built.checker.check(login(), Number.POSITIVE_INFINITY)
    expect(built.checker.events.at(-1)).to.have.property('token').that.deep.equals({
      issuer: undefined,
      refused: 'token_key_unknown',
    })
  })
})

import { expect } from 'chai'
import { elapsedMs } from '../../../src/server/by-deadline.ts'
import { followIssuer } from '../../../src/server/provider-keys/followed-issuer.ts'
import { fetchFeeds } from '../../../src/server/provider-keys/open-feed.ts'
import { createTokenProver } from '../../../src/server/provider-keys/token-prover.ts'
import { closeAll } from '../../../src/server/start-context.ts'
import { buildChecker, factsOf, input, openAdmission, requestOfD } from '../../support/built-checker.ts'
import { encodePart } from '../../support/forge.ts'
import { accessClaims, hospitalIdp, now, nowMs, uris } from '../../support/hospital.ts'
import { createProviderKey, type Provider, startProvider, tokenBy } from '../../support/provider.ts'

const first = createProviderKey()
const times = { iat: now - 60, exp: now + 240, auth_time: now - 600 }
const maxInFlight = 1000
const floodSize = 10_000

/** A checker whose provider is real, and what ends it. */
async function follow(provider: Provider) {
  const closing: AsyncDisposable[] = []
  const { user, source } = settingsOf(provider)
  const request = { name: user.name, issuer: user.issuer, key: 'users.0.keys', source }
  const feed = await fetchFeeds(closing, () => {})(request)
  const clocks = { nowMs: Date.now, elapsedMs }
  const followed = followIssuer(feed, {
    user,
    source,
    maxWaiting: maxInFlight / 4,
    ...clocks,
    report: () => {},
  })
  const prove = createTokenProver()
  const facts = factsOf()
  const checker = buildChecker({
    facts: (revision, atMs) => ({ ...facts, revision, nowMs: atMs, issuers: [followed.issuer()] }),
    meet: (need, byMs) => (need.what === 'provider_proof' ? prove(need, byMs) : followed.demand(need, byMs)),
    admission: openAdmission(maxInFlight),
    elapsedMs,
    nowMs: () => nowMs,
  })
  return { checker, [Symbol.asyncDispose]: () => closeAll(closing) }
}

function settingsOf({ jwksUrl, ca }: Provider) {
  const [user] = factsOf().issuers
  if (user === undefined) throw new TypeError('no issuer')
  const durations = { everyMs: 3_600_000, cooldownMs: 60_000, maxStalenessMs: 86_400_000 }
  const files = { discovery: undefined, keep: undefined, seed: undefined }
  return { user, source: { kind: 'remote' as const, url: jwksUrl, ca, ...durations, ...files } }
}

function login(token: string) {
  const request = requestOfD({ authorization: [`Bearer ${token}`] })
  const xfcc = `By=${uris.waypoint};URI=${uris.gateway}`
  return { ...request, headers: new Map([...request.headers, ['x-forwarded-client-cert', [xfcc]] as const]) }
}

/** The clerk's token, right in all but a key that nobody knows. */
function made(kid: string): string {
  const header = { alg: 'ES256', kid, typ: 'at+jwt' }
  return `${encodePart(header)}.${encodePart({ ...accessClaims, iss: hospitalIdp, ...times })}.AAAA`
}

const codeOf = (answer: object) => ('code' in answer ? answer.code : 'allow')

describe('server/provider-keys, ten thousand unknown keys at once', () => {
  for (const isHanging of [false, true]) {
    it(`take nobody's place while the provider ${isHanging ? 'hangs' : 'answers'}, and cause few fetches`, async () => {
      await using provider = await startProvider(first)
      await using running = await follow(provider)
      const { checker } = running
      if (isHanging) provider.answers.set('/jwks', () => {})
      const deadlineMs = elapsedMs() + (isHanging ? 2000 : 60_000)
      const flood = Array.from({ length: floodSize }, (_, index) =>
        checker.check(login(made(`made-up-${index}`)), deadlineMs),
      )
      const waiting = flood.filter((answer) => answer instanceof Promise)
      expect(waiting).to.have.length(maxInFlight / 4)
      // An agent's check waits for nothing, and a login of a known key for its own proof alone.
      expect(codeOf(checker.check(input, elapsedMs() + 60_000))).to.equal('allow')
      const known = checker.check(login(tokenBy(first, times)), elapsedMs() + 60_000)
      expect(codeOf(await known)).not.to.match(/^(?:token|overloaded|deadline)/)
      const answers = await Promise.all(flood)
      expect(new Set(answers.map(codeOf))).to.deep.equal(new Set(['token_key_unknown']))
      for (const answer of answers) expect(answer).to.have.property('retryAfterSeconds').that.is.within(1, 60)
      expect(provider.asked.length).to.be.lessThan(4)
    })
  }
})

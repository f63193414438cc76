import { expect } from 'chai'
import { isDeny } from '../../../src/base/model/decision.ts'
import type { Need } from '../../../src/base/model/need.ts'
import { noRevocations, parseRevocations } from '../../../src/decision/chain/revocations.ts'
import { createMemories } from '../../../src/decision/check/memories.ts'
import type { UserIssuer } from '../../../src/decision/identity/user-issuer.ts'
import { parseProviderKeys } from '../../../src/decision/jws/provider-keys.ts'
import { buildChecker, factsOf, requestOfD } from '../../support/built-checker.ts'
import { forge, good, readJwks, readKey, signer } from '../../support/forge.ts'
import { accessClaims, nowMs, uris } from '../../support/hospital.ts'
import { userToken } from '../../support/places.ts'
import { meetAtOnce } from '../../support/proofs.ts'

const rotated = good(parseProviderKeys(readJwks('hospital-idp', 'partner-idp')))
const [hospital] = factsOf().issuers
if (hospital === undefined) throw new TypeError('no issuer')

const gateways = [uris.gateway, 'spiffe://hospital.example/ns/edge/sa/second']

/** A listener that remembers, with the proofs that its checks asked for. */
function build(chains = 100) {
  const memories = createMemories({ chains, decisions: 100 })
  const state = {
    needs: [] as Need[],
    issuers: [hospital] as readonly UserIssuer[],
    /** The providers whose users each gateway may bring; all if left out. */
    peers: undefined as readonly ReadonlySet<string>[] | undefined,
    nowMs,
  }
  const revocations = { current: noRevocations }
  const checker = buildChecker({
    facts(revision, atMs) {
      const { issuers } = state
      const gathered = factsOf({ memories, issuers, revocations: revocations.current }, revision, atMs)
      const all = new Set(issuers.map(({ name }) => name))
      const ingress = new Map(gateways.map((uri, index) => [uri, state.peers?.[index] ?? all]))
      return { ...gathered, settings: { ...gathered.settings, ingress } }
    },
    nowMs: () => state.nowMs,
    async meet(need) {
      state.needs.push(need)
      return meetAtOnce(need)
    },
  })
  const login = async (token: string, gateway: string = uris.gateway): Promise<string> => {
    const request = requestOfD({ authorization: [`Bearer ${token}`] })
    const xfcc = `By=${uris.waypoint};URI=${gateway}`
    const headers = new Map([...request.headers, ['x-forwarded-client-cert', [xfcc]] as const])
    const { decision, chain } = await record(checker, { ...request, headers })
    if (chain?.kind === 'first-hop') return 'first-hop'
    return isDeny(decision) ? decision.code : decision.kind
  }
  return { login, state, revocations, checker }
}

async function record(checker: ReturnType<typeof buildChecker>, input: ReturnType<typeof requestOfD>) {
  await checker.check(input, Number.POSITIVE_INFINITY)
  const last = checker.records.at(-1)
  if (last === undefined) throw new TypeError('no record')
  return last
}

describe("decision/check, a user's token that is seen again", () => {
  it('is verified once in a thousand checks, which then wait for nothing', async () => {
    const { login, state } = build()
    const token = userToken()
    for (let check = 0; check < 1000; check++) expect(await login(token)).to.equal('first-hop')
    expect(state.needs.map(({ what }) => what)).to.deep.equal(['provider_proof'])
  })

  const changes: readonly (readonly [string, (built: ReturnType<typeof build>) => void, string])[] = [
    ['expired', ({ state }) => Object.assign(state, { nowMs: nowMs + 3_600_000 }), 'token_expired'],
    ['in the future', ({ state }) => Object.assign(state, { nowMs: nowMs - 3_600_000 }), 'token_invalid'],
    ['for another audience', with_({ audience: ['other'] }), 'token_audience'],
    ['of a client that is not listed any more', with_({ clients: ['other'] }), 'token_invalid'],
    ['without the claim that shows a user', with_({ userClaim: 'missing' }), 'token_invalid'],
    ['without the groups of today', with_({ groups: 'roles' }), 'token_invalid'],
    ['of a provider that is not configured any more', with_({ issuer: 'https://other' }), 'token_invalid'],
    [
      'of a revoked user',
      ({ revocations }) => {
        revocations.current = good(parseRevocations('{"version":1,"entries":[{"user":"hospital/clerk"}]}'))
      },
      'chain_revoked',
    ],
  ]
  for (const [name, change, want] of changes) {
    it(`is refused when it is ${name}, without another verification`, async () => {
      const built = build()
      expect(await built.login(userToken())).to.equal('first-hop')
      change(built)
      expect(await built.login(userToken())).to.equal(want)
      expect(built.state.needs).to.have.length(1)
    })
  }

  it('is verified anew by another generation of keys, and refused when its key is withdrawn', async () => {
    const { login, state } = build()
    await login(userToken())
    state.issuers = [{ ...hospital, keys: rotated }]
    expect(await login(userToken())).to.equal('first-hop')
    expect(state.needs).to.have.length(2)
    state.issuers = [{ ...hospital, keys: good(parseProviderKeys(readJwks('partner-idp'))) }]
    expect(await login(userToken())).to.equal('token_invalid')
    expect(state.needs).to.have.length(2)
  })

  it('proves nothing for the same claims with another signature, as a log may have them', async () => {
    const { login, state } = build()
    const token = userToken()
    await login(token)
    const [header, claims] = token.split('.')
    for (const signature of ['AAAA', 'A'.repeat(342)])
      expect(await login(`${header}.${claims}.${signature}`)).to.equal('token_invalid')
    expect(state.needs).to.have.length(3)
  })

  it('is not remembered when it is forged: the true token is verified', async () => {
    const { login, state } = build()
    const [header, claims, signature] = userToken().split('.')
    const forged = `${header}.${claims}.${signature?.slice(0, -8)}AAAAAAAA`
    for (const attempt of [forged, forged]) expect(await login(attempt)).to.equal('token_invalid')
    expect(await login(userToken())).to.equal('first-hop')
    expect(state.needs).to.have.length(3)
  })

  it('proves nothing for another provider, though that one has a key of the same `kid`', async () => {
    const { kid } = JSON.parse(readKey('hospital-idp'))
    const other: UserIssuer = {
      ...hospital,
      name: 'partner',
      issuer: 'https://idp.partner.example',
      keys: good(parseProviderKeys(readJwks('partner-idp').replace('partner-1', kid))),
    }
    const { login, state } = build()
    state.issuers = [other, hospital]
    expect(await login(userToken())).to.equal('first-hop')
    const header = { alg: 'EdDSA', kid, typ: 'at+jwt' }
    const theirs = forge(header, { ...accessClaims, iss: other.issuer }, signer('partner-idp'))
    expect(await login(theirs)).to.equal('first-hop')
    // Each presents users of the other.
    for (const token of [
      forge(header, accessClaims, signer('partner-idp')),
      userToken({ iss: other.issuer }),
    ])
      expect(await login(token)).to.equal('token_invalid')
  })

  it('proves nothing at an ingress peer that may not bring users of its provider', async () => {
    const { login, state } = build()
    expect(await login(userToken())).to.equal('first-hop')
    state.peers = [['hospital'], []].map((names) => new Set(names))
    const [, second] = gateways
    expect(await login(userToken(), second)).to.equal('token_invalid')
    expect(await login(userToken())).to.equal('first-hop')
    expect(state.needs).to.have.length(1)
  })

  it('is taken though nothing can be remembered', async () => {
    const { login, state } = build(1)
    for (const token of [userToken(), userToken({ sub: 'other' }), userToken()])
      expect(await login(token)).to.equal('first-hop')
    expect(state.needs).to.have.length(3)
  })
})

function with_(overlay: Partial<UserIssuer>) {
  return ({ state }: ReturnType<typeof build>): void => {
    if (hospital === undefined) return
    state.issuers = [{ ...hospital, ...overlay }]
  }
}

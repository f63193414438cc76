import { expect } from 'chai'
import fc from 'fast-check'
import type { DelegatedChain, FirstHop } from '../../src/base/model/chain.ts'
import { type Deny, isDeny } from '../../src/base/model/decision.ts'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { mintChild } from '../../src/decision/chain/extend.ts'
import { noRevocations, parseRevocations } from '../../src/decision/chain/revocations.ts'
import { admitChain, verifySignedChain } from '../../src/decision/chain/verify.ts'
import { createUserTokenFinder } from '../../src/decision/identity/agent-token.ts'
import { parseXfcc } from '../../src/decision/identity/xfcc.ts'
import { parseCompactJws } from '../../src/decision/jws/compact.ts'
import { parseStrictJson } from '../../src/decision/jws/json.ts'
import { parseJwks } from '../../src/decision/jws/key-set.ts'
import { parseProviderKeys } from '../../src/decision/jws/provider-keys.ts'
import { parseSigningKey } from '../../src/decision/jws/signing-key.ts'
import { encodePart, forge, signer } from '../support/forge.ts'
import {
  caller,
  chainClaims,
  chainHeader,
  clerk,
  hospitalIdp,
  mintOptions,
  nowMs,
  service,
  trust,
  uris,
} from '../support/hospital.ts'
import { verifyAtOnce } from '../support/proofs.ts'

const sign = signer('chain')
const genuine = forge(chainHeader, chainClaims, sign)
const deepTrust = { ...trust, maxDepth: 8 }
const agents = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/), { minLength: 2, maxLength: 6 })
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
const subject = fc.record({ id: name, groups: fc.array(name, { maxLength: 5 }) })

describe('property/chain', () => {
  it('every chain that we extend verifies, for its holder alone, and remembers everyone who acted', async () => {
    await fc.assert(
      fc.asyncProperty(subject, agents, async ({ id, groups }, names) => {
        let chain: DelegatedChain | FirstHop = { ...clerk, subject: { ...clerk.subject, id, groups } }
        let from: string = uris.gateway
        const holders = names.map((sa) => `spiffe://hospital.example/ns/agents/sa/${sa}`)
        for (const [index, holder] of holders.entries()) {
          const token = await extend(chain, from, holder)
          expect(await present(token, from)).to.include({ code: 'chain_not_yours' })
          const held = await present(token, holder)
          if (isDeny(held)) throw new TypeError(held.reason)
          expect(held.subject).to.deep.include({ id, groups })
          expect(held.actors.map(({ uri }) => uri)).to.deep.equal(holders.slice(0, index).reverse())
          chain = held
          from = holder
        }
      }),
      { numRuns: 50 },
    )
  })

  it('a chain with any character changed is refused', async () => {
    const position = fc.nat({ max: genuine.length - 1 })
    const character = fc.oneof(
      fc.constantFrom('A', 'a', '0', '_', '-', '.', '=', ','),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    )
    await fc.assert(
      fc.asyncProperty(position, character, async (index, changed) => {
        fc.pre(genuine[index] !== changed)
        const text = genuine.slice(0, index) + changed + genuine.slice(index + 1)
        expect(isDeny(await present(text, uris.agentD))).to.equal(true)
      }),
      { numRuns: 1000 },
    )
  })

  it('a chain with any bit of its decoded parts flipped is refused', async () => {
    const parts = genuine.split('.').map((part) => Buffer.from(part, 'base64url'))
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 2 }), fc.nat(), fc.nat({ max: 7 }), async (part, byte, bit) => {
        const flipped = parts.map((bytes, index) => {
          const copy = Buffer.from(bytes)
          const at = byte % copy.length
          if (index === part) copy.writeUInt8(copy.readUInt8(at) ^ (1 << bit), at)
          return copy.toString('base64url')
        })
        expect(isDeny(await present(flipped.join('.'), uris.agentD))).to.equal(true)
      }),
      { numRuns: 500 },
    )
  })

  it('claims of any shape that a trusted key signed are refused or admitted, and nothing throws', async () => {
    const names = fc.constantFrom(...Object.keys(chainClaims))
    await fc.assert(
      fc.asyncProperty(names, fc.jsonValue(), async (claim, value) => {
        const text = forge(chainHeader, { ...chainClaims, [claim]: value }, sign)
        expect(await present(text, uris.agentD)).to.have.property('kind')
      }),
      { numRuns: 500 },
    )
  })

  const parsers: readonly { readonly name: string; readonly parse: (text: string) => unknown }[] = [
    { name: 'strict JSON', parse: (text) => parseStrictJson(text) },
    { name: 'JWKS', parse: parseJwks },
    { name: 'JSON of a provider', parse: (text) => parseStrictJson(text, 'provider') },
    { name: 'JWKS of a provider', parse: (text) => parseProviderKeys(text) },
    { name: 'signing key', parse: parseSigningKey },
    { name: 'revocations', parse: parseRevocations },
    { name: 'XFCC', parse: parseXfcc },
    {
      name: 'compact JWS',
      parse: (text) => parseCompactJws(text, { maxBytes: 4096, typ: ['JWT'], reading: 'provider' }),
    },
    { name: 'chain', parse: (text) => present(text, uris.agentD) },
    { name: 'user token', parse: (text) => verifyAtOnce(new Map([['authorization', [text]]]), [], nowMs) },
    {
      name: 'agent token',
      parse: (text) =>
        createUserTokenFinder([
          { issuer: hospitalIdp, audience: ['a'], clients: 'any', provider: 'keycloak' },
        ])({
          headers: new Map([['authorization', [text]]]),
          path: `/?access_token=${text}`,
        }),
    },
  ]
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.json({ maxDepth: 20 }),
    fc.tuple(fc.json(), fc.json(), fc.string()).map((parts) => parts.map(encodePart).join('.')),
    fc.json().map((payload) => `Bearer ${forge(chainHeader, payload, sign)}`),
    fc.json().map((payload) => forge({ ...chainHeader, typ: 'JWT' }, payload, sign)),
  )
  for (const { name: what, parse } of parsers) {
    it(`no text makes the ${what} parser throw`, async () => {
      await fc.assert(
        fc.asyncProperty(text, async (input) => {
          expect(() => parse(input)).not.to.throw()
          expect(await parse(input)).not.to.equal(undefined)
        }),
        { numRuns: 300 },
      )
    })
  }

  it('strict JSON reads what JSON.parse reads, or nothing', () => {
    fc.assert(
      fc.property(fc.json(), (input) => {
        const value = parseStrictJson(input)
        if (!isInvalid(value)) expect(toPlain(value)).to.deep.equal(JSON.parse(input))
      }),
      { numRuns: 1000 },
    )
  })
})

async function extend(chain: DelegatedChain | FirstHop, from: string, to: string): Promise<string> {
  const ids = { jti: 'jti', txn: 'txn' }
  const signed = mintChild(chain, caller(from), service(to), { ...mintOptions, maxDepth: 8 }, nowMs, ids)
  if (isDeny(signed)) throw new TypeError(signed.reason)
  return signed.token
}

async function present(text: string, holder: string): Promise<DelegatedChain | Deny> {
  const proven = verifySignedChain(text, deepTrust)
  return isDeny(proven) ? proven : admitChain(proven, caller(holder), deepTrust, nowMs, noRevocations)
}

function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlain)
  return value instanceof Map
    ? Object.fromEntries([...value].map(([key, item]) => [key, toPlain(item)]))
    : value
}

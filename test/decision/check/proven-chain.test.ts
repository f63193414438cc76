import { expect } from 'chai'
import { type Deny, deny, isDeny } from '../../../src/base/model/decision.ts'
import { parseRevocations } from '../../../src/decision/chain/revocations.ts'
import { provenChain } from '../../../src/decision/check/proven-chain.ts'
import { broken, factsOf, token as good, requestOfD } from '../../support/built-checker.ts'
import { good as mustBe, spiffeId } from '../../support/forge.ts'
import { uris } from '../../support/hospital.ts'
import { caller, hospital } from '../../support/identities.ts'
import { userToken } from '../../support/places.ts'
import { askWithProofs } from '../../support/proofs.ts'

const [bad = ''] = broken.headers.get('actor-chain') ?? []
const recoverable = new Map<string, string | Deny>([
  ['one', good],
  ['stale', bad],
  ['two', deny('chain_missing', '')],
])
const revoked = JSON.stringify({ version: 1, entries: [{ actor: uris.agentR }] })
const facts = factsOf({
  revocations: mustBe(parseRevocations(revoked)),
  recovery: { find: (headers) => recoverable.get(headers.get('mcp-session-id')?.[0] ?? '') },
})
const users = `Bearer ${userToken()}`
const theirs = `Bearer ${userToken({ iss: 'https://idp.elsewhere.example' })}`

const rows: readonly {
  name: string
  headers: Record<string, readonly string[]>
  peer?: 'gateway' | 'agentR'
  isConnection?: boolean
  want: string
}[] = [
  { name: 'a chain that verifies', headers: { 'actor-chain': [good] }, want: 'delegated' },
  { name: 'a chain that does not', headers: { 'actor-chain': [bad] }, want: 'chain_signature' },
  {
    name: 'two values, though one would verify',
    headers: { 'actor-chain': [good, bad] },
    want: 'chain_malformed',
  },
  { name: 'no chain', headers: {}, want: 'none' },
  {
    name: 'an empty header, which is no missing one',
    headers: { 'actor-chain': [''] },
    want: 'chain_malformed',
  },
  {
    name: 'a token of another issuer, which adds no right',
    headers: { authorization: [theirs] },
    want: 'none',
  },
  {
    name: 'a user token beside a chain that verifies',
    headers: { 'actor-chain': [good], authorization: [users] },
    want: 'token_from_agent',
  },
  {
    name: 'ingress with a user token',
    headers: { authorization: [users] },
    peer: 'gateway',
    want: 'first-hop',
  },
  { name: 'ingress without one', headers: {}, peer: 'gateway', want: 'token_missing' },
  {
    name: 'ingress with a chain, token or not',
    headers: { 'actor-chain': [good], authorization: [users] },
    peer: 'gateway',
    want: 'chain_not_yours',
  },
  {
    name: 'ingress with two chains',
    headers: { 'actor-chain': [good, good], authorization: [users] },
    peer: 'gateway',
    want: 'chain_malformed',
  },
  {
    name: 'no chain, but one that is found again',
    headers: { 'mcp-session-id': ['one'] },
    want: 'delegated, recovered',
  },
  {
    name: 'one that is found again and no longer holds',
    headers: { 'mcp-session-id': ['stale'] },
    want: 'chain_signature',
  },
  { name: 'two that could be meant', headers: { 'mcp-session-id': ['two'] }, want: 'chain_missing' },
  {
    name: 'ingress, for which nothing is found again',
    headers: { 'mcp-session-id': ['one'] },
    peer: 'gateway',
    want: 'token_missing',
  },
  { name: 'a connection without HTTP', headers: {}, isConnection: true, want: 'none' },
  {
    name: 'a connection of an ingress peer, which is judged as any other caller',
    headers: {},
    isConnection: true,
    peer: 'gateway',
    want: 'none',
  },
  {
    name: 'a connection of a revoked caller',
    headers: {},
    isConnection: true,
    peer: 'agentR',
    want: 'chain_revoked',
  },
  { name: 'a revoked caller without a chain', headers: {}, peer: 'agentR', want: 'chain_revoked' },
]

const callee = spiffeId(uris.insurance)

describe('decision/check/proven-chain', () => {
  for (const { name, headers, peer, isConnection = false, want } of rows) {
    it(`${name}: ${want}`, () => {
      const input = isConnection
        ? { ...requestOfD(headers), method: '', path: '', host: '' }
        : requestOfD(headers)
      const by = caller(hospital[peer ?? 'agentD'], peer === 'gateway')
      const chain = askWithProofs((proofs) => provenChain(input, by, callee, { ...facts, proofs }))
      const mark = 'isRecovered' in chain && chain.isRecovered ? ', recovered' : ''
      expect(isDeny(chain) ? chain.code : `${chain.kind}${mark}`).to.equal(want)
    })
  }
})

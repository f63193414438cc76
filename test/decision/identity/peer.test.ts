import { expect } from 'chai'
import type { PeerSource } from '../../../src/base/model/caller.ts'
import type { CheckInput } from '../../../src/base/model/check-input.ts'
import { identifyCaller, type PeerOptions } from '../../../src/decision/identity/peer.ts'
import { spiffeId } from '../../support/forge.ts'
import { uris } from '../../support/hospital.ts'

const { waypoint, agentD, agentR, gateway } = uris
const xfcc = (uri: string) => ({
  headers: new Map([['x-forwarded-client-cert', [`By=${waypoint};URI=${uri}`]]]),
})
const metadata = (peer: string, local: string) => ({
  metadata: new Map([
    ['x-waypoint-peer-principal', [peer]],
    ['x-waypoint-local-principal', [local]],
  ]),
})

describe('decision/identity/peer', () => {
  const identified: readonly { readonly peer: PeerSource; readonly input: Partial<CheckInput> }[] = [
    { peer: 'xfcc', input: xfcc(agentD) },
    { peer: 'metadata', input: metadata(agentD, waypoint) },
    { peer: 'principal', input: { sourcePrincipal: agentD, tlsPeerUris: [waypoint] } },
  ]
  for (const { peer, input } of identified) {
    it(`learns who calls from ${peer}, and who vouches`, () => {
      const caller = identify(input, { peer })
      expect(caller).to.deep.include({ provenBy: peer, isIngress: false })
      expect(caller).to.have.nested.property('id.uri', agentD)
      expect(caller).to.have.nested.property('waypoint.uri', waypoint)
    })
  }

  it('knows an ingress peer', () => {
    expect(identify(xfcc(gateway), { peer: 'xfcc' })).to.include({ isIngress: true })
  })

  for (const { peer } of identified) {
    it(`falls back on nothing else when ${peer} is absent`, () => {
      const others = identified.filter((other) => other.peer !== peer).map(({ input }) => input)
      expect(identify(Object.assign({}, ...others), { peer })).to.include({ code: 'peer_missing' })
    })
  }

  const refused: readonly {
    readonly name: string
    readonly input: Partial<CheckInput>
    readonly options: Partial<PeerOptions>
    readonly want: string
  }[] = [
    {
      name: 'a caller of another trust domain',
      input: xfcc('spiffe://evil.example/ns/a/sa/b'),
      options: { peer: 'xfcc' },
      want: 'peer_malformed',
    },
    {
      name: 'a waypoint that calls',
      input: xfcc(uris.insurance),
      options: { peer: 'xfcc', waypoints: new Set([uris.insurance]) },
      want: 'peer_conflict',
    },
    {
      name: 'a waypoint that vouches for itself',
      input: metadata(waypoint, waypoint),
      options: { peer: 'metadata', waypoints: new Set() },
      want: 'peer_conflict',
    },
    {
      name: 'metadata and XFCC that differ',
      input: { ...metadata(agentD, waypoint), ...xfcc(agentR) },
      options: { peer: 'metadata' },
      want: 'peer_conflict',
    },
    {
      name: 'metadata and XFCC of different waypoints',
      input: { ...metadata(agentD, uris.insurance), ...xfcc(agentD) },
      options: { peer: 'metadata' },
      want: 'peer_conflict',
    },
    {
      name: 'a waypoint that is not the TLS peer',
      input: { ...xfcc(agentD), tlsPeerUris: [agentR] },
      options: { peer: 'xfcc', isMutualTls: true },
      want: 'peer_conflict',
    },
    {
      name: 'a waypoint without TLS peer',
      input: metadata(agentD, waypoint),
      options: { peer: 'metadata', isMutualTls: true },
      want: 'peer_conflict',
    },
    {
      name: 'a TLS peer that is no SPIFFE ID',
      input: { sourcePrincipal: agentD, tlsPeerUris: ['https://proxy'] },
      options: { peer: 'principal' },
      want: 'peer_malformed',
    },
  ]
  for (const { name, input, options, want } of refused) {
    it(`refuses ${name}`, () => {
      expect(identify(input, options)).to.include({ code: want })
    })
  }
})

function identify(input: Partial<CheckInput>, options: Partial<PeerOptions>) {
  const whole: CheckInput = {
    sourcePrincipal: '',
    destinationAddress: '10.96.0.10:8080',
    method: 'GET',
    path: '/',
    host: 'insurance',
    headers: new Map(),
    metadata: new Map(),
    tlsPeerUris: [],
    ...input,
  }
  return identifyCaller(whole, {
    peer: 'xfcc',
    trustDomain: spiffeId(waypoint).trustDomain,
    ingressPeers: new Set([gateway]),
    waypoints: new Set([waypoint]),
    isMutualTls: false,
    ...options,
  })
}

import { remember } from '../../base/cache/remember.ts'
import type { Caller, PeerSource } from '../../base/model/caller.ts'
import { type CheckInput, type Headers, isConnection, singleHeader } from '../../base/model/check-input.ts'
import { type Deny, deny, isDeny } from '../../base/model/decision.ts'
import { isInvalid } from '../../base/model/invalid.ts'
import { parseSpiffeId, type SpiffeId, type TrustDomain } from '../../base/model/spiffe-id.ts'
import { parseXfcc } from './xfcc.ts'

export type PeerOptions = {
  /** The one identity source that the listener trusts. */
  readonly peer: PeerSource
  readonly trustDomain: TrustDomain
  /** SPIFFE IDs of the ingress peers. */
  readonly ingressPeers: Pick<ReadonlySet<string>, 'has'>
  /** SPIFFE IDs of all known waypoints. */
  readonly waypoints: ReadonlySet<string>
  /** True if Envoy must present a client certificate. */
  readonly isMutualTls: boolean
}

const noHeaders =
  'a connection without HTTP has no header that says who calls: only `peer: metadata` or `principal` can prove it'

type Peer = { readonly id: SpiffeId; readonly waypoint: SpiffeId }

const xfccHeader = 'x-forwarded-client-cert'
const peerKey = 'x-waypoint-peer-principal'
const localKey = 'x-waypoint-local-principal'

/** Identifies the caller from the one source that the listener names, never from another source that happens to parse. */
export function identifyCaller(input: CheckInput, options: PeerOptions): Caller | Deny {
  const peer = readPeer(input, options.peer)
  if (isDeny(peer)) return peer
  const { id, waypoint } = peer
  for (const { uri, trustDomain } of [id, waypoint]) {
    if (trustDomain !== options.trustDomain)
      return deny('peer_malformed', `\`${uri}\` is of another trust domain than \`${options.trustDomain}\``)
  }
  if (options.waypoints.has(id.uri))
    return deny('peer_conflict', `the waypoint \`${id.uri}\` is never a caller`)
  if (options.isMutualTls && !isTlsPeer(input, waypoint)) {
    return deny('peer_conflict', `\`${waypoint.uri}\` is not the TLS peer`)
  }
  return { id, provenBy: options.peer, waypoint, isIngress: options.ingressPeers.has(id.uri) }
}

function readPeer(input: CheckInput, source: PeerSource): Peer | Deny {
  switch (source) {
    case 'xfcc':
      return (
        fromXfcc(input.headers) ??
        deny('peer_missing', isConnection(input) ? noHeaders : `no \`${xfccHeader}\``)
      )
    case 'metadata':
      return fromMetadata(input)
    case 'principal':
      return fromPrincipal(input)
  }
}

function fromXfcc(headers: Headers): Peer | Deny | undefined {
  const header = singleHeader(headers, xfccHeader)
  if (header === undefined) return undefined
  if (header === 'repeated') return deny('peer_conflict', `expected one \`${xfccHeader}\`, found several`)
  const xfcc = parseXfcc(header.value)
  if (isInvalid(xfcc)) return deny('peer_malformed', xfcc.reason)
  return withoutSelf({ id: xfcc.uri, waypoint: xfcc.by })
}

function fromMetadata({ metadata, headers }: CheckInput): Peer | Deny {
  const id = readMetadata(metadata, peerKey)
  if (isDeny(id)) return id
  const waypoint = readMetadata(metadata, localKey)
  if (isDeny(waypoint)) return waypoint
  const xfcc = fromXfcc(headers)
  if (xfcc !== undefined && !isSamePeer(xfcc, { id, waypoint })) {
    return deny('peer_conflict', `metadata and \`${xfccHeader}\` differ`)
  }
  return withoutSelf({ id, waypoint })
}

function readMetadata(metadata: Headers, key: string): SpiffeId | Deny {
  const entry = singleHeader(metadata, key)
  if (entry === undefined) return deny('peer_missing', `no metadata \`${key}\``)
  if (entry === 'repeated') return deny('peer_conflict', `expected one metadata \`${key}\`, found several`)
  return readSpiffeId(entry.value)
}

function fromPrincipal({ sourcePrincipal, tlsPeerUris }: CheckInput): Peer | Deny {
  if (sourcePrincipal === '') return deny('peer_missing', 'no source principal')
  const [proxy, ...others] = tlsPeerUris
  if (proxy === undefined)
    return deny('peer_missing', 'no TLS peer that could vouch for the source principal')
  if (others.length > 0) return deny('peer_malformed', 'expected one URI SAN of the TLS peer, found several')
  const id = readSpiffeId(sourcePrincipal)
  if (isDeny(id)) return id
  const waypoint = readSpiffeId(proxy)
  return isDeny(waypoint) ? waypoint : { id, waypoint }
}

/** A mesh has far fewer workloads than requests. Sharing one object for each id makes comparisons fast. */
const readSpiffeId: (text: string) => SpiffeId | Deny = remember(
  (text: string) => {
    const id = parseSpiffeId(text)
    return isInvalid(id) ? deny('peer_malformed', id.reason) : id
  },
  { maxEntries: 2000, keyOf: (text) => text, isWorth: (id) => !isDeny(id) },
)

function isSamePeer(one: Peer | Deny, other: Peer): boolean {
  return !isDeny(one) && one.id.uri === other.id.uri && one.waypoint.uri === other.waypoint.uri
}

function withoutSelf(peer: Peer): Peer | Deny {
  return peer.id.uri === peer.waypoint.uri
    ? deny('peer_conflict', 'a waypoint cannot vouch for itself')
    : peer
}

function isTlsPeer({ tlsPeerUris }: CheckInput, waypoint: SpiffeId): boolean {
  return tlsPeerUris.length === 1 && tlsPeerUris[0] === waypoint.uri
}

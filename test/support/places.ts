import type { PeerSource } from '../../src/base/model/caller.ts'
import type { CheckInput } from '../../src/base/model/check-input.ts'
import { isDeny } from '../../src/base/model/decision.ts'
import { isProblems } from '../../src/base/model/problems.ts'
import { type Config, parseConfig } from '../../src/config/config.ts'
import { toChainKeys } from '../../src/decision/chain/keys.ts'
import { noRevocations, parseRevocations } from '../../src/decision/chain/revocations.ts'
import type { Facts } from '../../src/decision/check/facts.ts'
import type { Verdict } from '../../src/decision/check/verdict.ts'
import { parseProviderKeys } from '../../src/decision/jws/provider-keys.ts'
import type { Revision } from '../../src/policy/revision/revision.ts'
import { createFacts } from '../../src/server/check-facts.ts'
import { decide } from './decide.ts'
import { forge, good, readJwks, signer } from './forge.ts'
import {
  accessClaims,
  accessHeader,
  act,
  type ChainClaims,
  chainClaims,
  chainHeader,
  chainKey,
  nowMs,
  uris,
} from './hospital.ts'
import { mustLoad, policyFiles } from './policy-files.ts'
import { settings } from './settings.ts'

/** Agents that act in the longest chain, the earliest first; the last one calls. */
export const agents: readonly string[] = ['one', 'two', 'three', 'four'].map(
  (name) => `spiffe://hospital.example/ns/x/sa/${name}`,
)
const [one = '', two = '', three = '', four = ''] = agents

/** The services of the world: by name what each is, beside its address and identity. */
const services: Readonly<Record<string, object>> = {
  entry: { entry: true, forwards: true },
  onward: { forwards: true, chainless: [uris.agentA, uris.agentR] },
  last: {},
}

/** `IP:port` of a service. */
export const addressOf: Readonly<Record<string, string>> = {
  entry: '10.0.0.1:80',
  onward: '10.0.0.2:80',
  last: '10.0.0.3:80',
}

/** Where in a chain a request can stand: who calls, which service, and what it brings. */
export type Place = {
  readonly name: string
  readonly caller: string
  readonly to: string
  readonly headers: () => Readonly<Record<string, string>>
  /** Everyone who acts, the caller first; the ingress peer does not. */
  readonly acting: readonly string[]
}

/** The clerk's chain as an agent holds it after others have acted, the latest first; claims overlaid. */
export function chainAfter(
  holder: string,
  actors: readonly string[],
  overlay: Partial<ChainClaims> = {},
): string {
  const acted = actors.length === 0 ? { act: undefined, par_hash: undefined } : { act: act(...actors) }
  return forge(chainHeader, { ...chainClaims, aud: holder, ...acted, ...overlay }, signer('chain'))
}

/** The clerk's own token; claims overlaid. */
export function userToken(overlay: object = {}): string {
  return forge(accessHeader, { ...accessClaims, ...overlay }, signer('hospital-idp'))
}

const held = (holder: string, actors: readonly string[]) => () => ({
  'actor-chain': chainAfter(holder, actors),
})

/** Every place; a rule that is asked at one must be asked at all that it is for. */
export const places: readonly Place[] = [
  {
    name: 'the first hop',
    caller: uris.gateway,
    to: 'entry',
    headers: () => ({ authorization: `Bearer ${userToken()}` }),
    acting: [],
  },
  { name: 'the first agent', caller: one, to: 'onward', headers: held(one, []), acting: [one] },
  { name: 'the second agent', caller: two, to: 'onward', headers: held(two, [one]), acting: [two, one] },
  {
    name: 'the fourth agent',
    caller: four,
    to: 'onward',
    headers: held(four, [three, two, one]),
    acting: [four, three, two, one],
  },
  {
    name: 'the last service',
    caller: three,
    to: 'last',
    headers: held(three, [two, one]),
    acting: [three, two, one],
  },
  {
    name: 'a chain that was found again',
    caller: three,
    to: 'onward',
    headers: () => ({ 'mcp-session-id': 'lost' }),
    acting: [three, two, one],
  },
  { name: 'no chain', caller: uris.agentA, to: 'onward', headers: () => ({}), acting: [uris.agentA] },
]

/** A place by its name. */
export function placeNamed(name: string): Place {
  const place = places.find((each) => each.name === name)
  if (place === undefined) throw new RangeError(`no place \`${name}\``)
  return place
}

/** The surroundings of a check. */
export type World = {
  /** Keys of a service, beside those that it has. */
  readonly services?: Readonly<Record<string, object>>
  readonly policies?: string
  readonly revoked?: readonly object[]
  readonly peer?: PeerSource
  readonly config?: (config: Config) => Config
  readonly facts?: Partial<Facts>
}

/** The caller, and the differences from a plain GET. */
export type Asking = Pick<Place, 'caller' | 'to'> & {
  readonly headers: Readonly<Record<string, string>>
  readonly path?: string
  readonly waypoint?: string
}

/** Policies that permit everyone everything, but for what these forbid. */
export function except(forbidden: string): string {
  const permits = Object.keys(services).map(
    (name) => `@blanket("a test") permit (principal, action, resource in Service::"${name}");`,
  )
  return [...permits, forbidden].join('\n')
}

/** Creates the checks of a listener, with the world around it. */
export function createDecider(world: World = {}): (asking: Asking) => Verdict {
  const parsed = parseConfig('/waywarden.yaml', settings, new Map())
  if (isProblems(parsed)) throw new TypeError('bad settings')
  const config = world.config?.(parsed) ?? parsed
  const [listener] = config.listeners
  if (listener === undefined) throw new TypeError('no listener')
  const keys = toChainKeys(chainKey, [chainKey.public])
  const issuers = config.users.map((user) => ({
    ...user,
    keys: good(parseProviderKeys(readJwks('hospital-idp'))),
  }))
  const revocations =
    world.revoked === undefined
      ? noRevocations
      : good(parseRevocations(JSON.stringify({ version: 1, entries: world.revoked })))
  const credentials = {
    keys: () => keys,
    issuers: () => issuers,
    revocations: () => revocations,
  }
  const recovery = {
    find: (headers: CheckInput['headers']) =>
      headers.has('mcp-session-id') ? chainAfter(three, [two, one]) : undefined,
  }
  const { peer = 'xfcc' } = world
  const gather = createFacts(config, { ...listener, peer }, credentials, recovery)
  const facts = { ...gather(revisionOf(world), nowMs, undefined), ...world.facts }
  return (asking) => decide(toInput(asking, peer), facts)
}

const revisions = new Map<string, Revision>()

/** The same object for the same world: an engine takes longer to make than all else here. */
function revisionOf({ services: overlaid = {}, policies = except('') }: World): Revision {
  const key = JSON.stringify([overlaid, policies])
  const known = revisions.get(key) ?? loadRevision(overlaid, policies)
  revisions.set(key, known)
  return known
}

function loadRevision(overlaid: Readonly<Record<string, object>>, policies: string): Revision {
  const all = Object.entries(services).map(([name, keys]) => ({
    name,
    addresses: [addressOf[name]],
    spiffeId: `spiffe://hospital.example/ns/y/sa/${name}`,
    waypoint: uris.waypoint,
    routes: [
      { match: 'GET /scoped', action: 'read-it', scope: 'records:read' },
      { match: 'GET /**', action: 'read-it' },
    ],
    ...keys,
    ...overlaid[name],
  }))
  return mustLoad(
    policyFiles({ 'services.yaml': JSON.stringify({ services: all }), 'team/a.cedar': policies }),
  )
}

/** Decides a check in a world at a place. */
export function ask(world: World, place: Place, overlay: Partial<Asking> = {}): Verdict {
  return createDecider(world)({ ...place, headers: place.headers(), ...overlay })
}

/** `allow`, or the code of the refusal. */
export function codeOf({ decision }: Verdict): string {
  return isDeny(decision) ? decision.code : 'allow'
}

function toInput(
  { caller, to, headers, path = '/x', waypoint = uris.waypoint }: Asking,
  peer: PeerSource,
): CheckInput {
  const xfcc = peer === 'xfcc' ? { 'x-forwarded-client-cert': `By=${waypoint};URI=${caller}` } : {}
  const metadata =
    peer === 'metadata'
      ? {
          'x-waypoint-peer-principal': caller,
          'x-waypoint-local-principal': waypoint,
          'x-waypoint-service': `inbound-vip|80|http|${addressOf[to]?.split(':')[0]}`,
        }
      : {}
  return {
    sourcePrincipal: peer === 'principal' ? caller : '',
    destinationAddress: addressOf[to] ?? '',
    method: 'GET',
    path,
    host: '',
    headers: toHeaders({ ...xfcc, ...headers }),
    metadata: toHeaders(metadata),
    tlsPeerUris: peer === 'principal' ? [waypoint] : [],
  }
}

function toHeaders(values: Readonly<Record<string, string>>): CheckInput['headers'] {
  return new Map(Object.entries(values).map(([name, value]) => [name, [value]]))
}

import type { CheckInput } from '../../src/base/model/check-input.ts'
import type { Event } from '../../src/base/model/event.ts'
import { isProblems } from '../../src/base/model/problems.ts'
import type { RecordParts } from '../../src/base/model/record-parts.ts'
import { parseConfig } from '../../src/config/config.ts'
import { toChainKeys } from '../../src/decision/chain/keys.ts'
import { noRevocations } from '../../src/decision/chain/revocations.ts'
import { type Admission, createAdmission } from '../../src/decision/check/admission.ts'
import { type Checker, type CheckShell, createChecker } from '../../src/decision/check/check.ts'
import type { Facts } from '../../src/decision/check/facts.ts'
import { parseProviderKeys } from '../../src/decision/jws/provider-keys.ts'
import type { Revision } from '../../src/policy/revision/revision.ts'
import { createFacts } from '../../src/server/check-facts.ts'
import { forge, good, readJwks, signer } from './forge.ts'
import { chainClaims, chainHeader, chainKey, nowMs, uris } from './hospital.ts'
import { mustLoad, policyFiles, servicesYaml } from './policy-files.ts'
import { meetAtOnce } from './proofs.ts'
import { settings } from './settings.ts'

/** The revision that decides. */
export const revision: Revision = mustLoad(policyFiles())

const routes = [{ match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' }]
const forwards = { 'services.yaml': servicesYaml({ routes, forwards: true }) }

/** A request to a service that calls onward, and so gets a chain. */
export const forwarding: Revision = mustLoad(policyFiles(forwards))

/** As `forwarding`, but everybody is refused. */
export const refusing: Revision = mustLoad(
  policyFiles({ ...forwards, 'team/a.cedar': 'forbid (principal, action, resource);\n' }),
)

/** The clerk's chain as agent D holds it, after agent A. */
export const token: string = forge(chainHeader, chainClaims, signer('chain'))

/** A request of agent D, as its waypoint tells of it, with the given headers beside. */
export function requestOfD(headers: Readonly<Record<string, readonly string[]>>): CheckInput {
  return {
    sourcePrincipal: '',
    destinationAddress: '10.0.0.1:80',
    method: 'GET',
    path: '/patients/42',
    host: '',
    headers: new Map([
      ['x-forwarded-client-cert', [`By=${uris.waypoint};URI=${uris.agentD}`]],
      ...Object.entries(headers),
    ]),
    metadata: new Map(),
    tlsPeerUris: [],
  }
}

/** A request of agent D with its chain. */
export const input: CheckInput = requestOfD({ 'actor-chain': [token] })

/** The same, its chain with a broken signature. */
export const broken: CheckInput = requestOfD({ 'actor-chain': [`${token.slice(0, -4)}AAAA`] })

/** The same, of somebody whom nobody vouches for. */
export const anonymous: CheckInput = { ...input, headers: new Map() }

/** Facts of the hospital, at its moment, with fields overlaid. */
export function factsOf(
  overlay: Partial<Facts> = {},
  serving: Revision = revision,
  atMs: number = nowMs,
): Facts {
  return { ...gatherer()(serving, atMs, undefined), ...overlay }
}

function gatherer(): CheckShell['facts'] {
  const config = parseConfig('/waywarden.yaml', settings, new Map())
  if (isProblems(config)) throw new TypeError('bad settings')
  const [listener] = config.listeners
  if (listener === undefined) throw new TypeError('no listener')
  const keys = toChainKeys(chainKey, [chainKey.public])
  const issuers = config.users.map((user) => ({
    ...user,
    keys: good(parseProviderKeys(readJwks('hospital-idp'))),
  }))
  const credentials = { keys: () => keys, issuers: () => issuers, revocations: () => noRevocations }
  return createFacts(config, listener, credentials, undefined)
}

/** An admission that refuses nobody for the time that work takes. */
export function openAdmission(maxInFlight = 10): Admission {
  return createAdmission({
    maxInFlight,
    targetMs: Number.POSITIVE_INFINITY,
    elapsedMs: () => 0,
    utilization: () => 0,
  })
}

/** The built checker, and its reports since then. */
export type BuiltChecker = Checker & {
  readonly records: readonly RecordParts[]
  readonly events: readonly Event[]
  readonly handedOn: { readonly count: number }
}

/** A checker as a listener has it, with fake effects, and what it recorded and reported. */
export function buildChecker(
  overlay: Partial<CheckShell> & { readonly maxInFlight?: number } = {},
): BuiltChecker {
  const records: RecordParts[] = []
  const events: Event[] = []
  const handedOn = { count: 0 }
  let ids = 0
  const { maxInFlight, ...given } = overlay
  const facts = gatherer()
  const checker = createChecker({
    facts(...moment) {
      const gathered = facts(...moment)
      return { ...gathered, settings: { ...gathered.settings, observing: given.observing } }
    },
    observing: undefined,
    admission: openAdmission(maxInFlight),
    headers: { chain: 'actor-chain', userToken: ['authorization'], ids: [], unusable: () => [] },
    handedOn: () => handedOn.count++,
    revision: () => revision,
    meet: meetAtOnce,
    record: (parts) => {
      records.push(parts)
      return true
    },
    report: (event) => events.push(event),
    nowMs: () => nowMs,
    elapsedMs: () => 0,
    createDecisionId: () => `id-${++ids}`,
    ...given,
  })
  return { ...checker, records, events, handedOn }
}

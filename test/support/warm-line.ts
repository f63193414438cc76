import type { CheckInput } from '../../src/base/model/check-input.ts'
import { isProblems } from '../../src/base/model/problems.ts'
import { parseConfig } from '../../src/config/config.ts'
import { type ChainKeys, toChainKeys } from '../../src/decision/chain/keys.ts'
import { noRevocations, type Revocations } from '../../src/decision/chain/revocations.ts'
import type { Verdict } from '../../src/decision/check/verdict.ts'
import { parseSigningKey } from '../../src/decision/jws/signing-key.ts'
import type { Revision } from '../../src/policy/revision/revision.ts'
import { createFacts } from '../../src/server/check-facts.ts'
import { decide } from './decide.ts'
import { forge, good, readKey, signer } from './forge.ts'
import { type ChainClaims, chainClaims, chainHeader, chainKey, nowMs, uris } from './hospital.ts'
import { settings } from './settings.ts'

/** The facts that may change while a check is cached. */
export type Surroundings = {
  readonly revision: Revision
  readonly revocations?: Revocations
  /** Which of two keys signs; both verify, unless only one is trusted. */
  readonly signing?: 'chain-1' | 'chain-es256'
  readonly isOtherTrusted?: boolean
  readonly nowMs?: number
}

/** One call as a waypoint tells of it. */
export type Call = {
  readonly caller: string
  readonly token?: string | undefined
  /** `IP:port` of the service. */
  readonly to: string
  readonly method: string
  readonly path: string
}

/** A line with a memory that lasts; each call says what surrounds it. */
export type WarmLine = (call: Call, surroundings: Surroundings) => Verdict

const otherKey = good(parseSigningKey(readKey('chain-es256')))

/** The real line, as a listener has it, with an empty memory. */
export function createWarmLine(): WarmLine {
  const config = parseConfig('/waywarden.yaml', settings, new Map())
  if (isProblems(config)) throw new TypeError('bad settings')
  const [listener] = config.listeners
  if (listener === undefined) throw new TypeError('no listener')
  let [revocations, keys] = [noRevocations, generation('chain-1', true)]
  const credentials = {
    keys: () => keys,
    issuers: () => [],
    revocations: () => revocations,
  }
  const gather = createFacts(config, listener, credentials, undefined)
  return (call, { revision, signing = 'chain-1', isOtherTrusted = true, ...others }) => {
    revocations = others.revocations ?? noRevocations
    keys = generation(signing, isOtherTrusted)
    return decide(toInput(call), gather(revision, others.nowMs ?? nowMs, undefined))
  }
}

/** A genuine token of the clerk's chain as agent D holds it, claims overlaid. */
export function genuine(overlay: Partial<ChainClaims> = {}): string {
  return forge(chainHeader, { ...chainClaims, ...overlay }, signer('chain'))
}

const generations = new Map<string, ChainKeys>()

function generation(kid: string, isOtherTrusted: boolean): ChainKeys {
  const name = `${kid} ${isOtherTrusted}`
  const [signing, other] = kid === 'chain-1' ? [chainKey, otherKey] : [otherKey, chainKey]
  const trusted = isOtherTrusted ? [signing.public, other.public] : [signing.public]
  const made = generations.get(name) ?? toChainKeys(signing, trusted)
  generations.set(name, made)
  return made
}

function toInput({ caller, token, to, method, path }: Call): CheckInput {
  const xfcc = ['x-forwarded-client-cert', [`By=${uris.waypoint};URI=${caller}`]] as const
  return {
    sourcePrincipal: '',
    destinationAddress: to,
    method,
    path,
    host: '',
    headers: new Map([xfcc, ...(token === undefined ? [] : [['actor-chain', [token]] as const])]),
    metadata: new Map(),
    tlsPeerUris: [],
  }
}

import { isProblems } from '../../src/base/model/problems.ts'
import { parseConfig } from '../../src/config/config.ts'
import { toChainKeys } from '../../src/decision/chain/keys.ts'
import { noRevocations } from '../../src/decision/chain/revocations.ts'
import { type Checker, createChecker } from '../../src/decision/check/check.ts'
import { parseProviderKeys } from '../../src/decision/jws/provider-keys.ts'
import { readPolicyDirectory } from '../../src/policy/source/directory-source.ts'
import { createFacts } from '../../src/server/check-facts.ts'
import { openAdmission } from './built-checker.ts'
import { good, readJwks } from './forge.ts'
import { chainKey, nowMs } from './hospital.ts'
import { mustLoad } from './policy-files.ts'
import { meetAtOnce } from './proofs.ts'
import { settings } from './settings.ts'

/** The real line with the sample policies, a clock that stands still, and ids that count: the same answer to the same bytes. */
export async function createGoldenChecker(peer: 'xfcc' | 'metadata' = 'xfcc'): Promise<Checker> {
  const config = parseConfig('/waywarden.yaml', settings, new Map())
  const files = await readPolicyDirectory('policies')
  if (isProblems(config) || !('files' in files)) throw new TypeError('the sample cannot be read')
  const revision = mustLoad(files)
  const [listener] = config.listeners
  const issuers = config.users.map((user) => ({
    ...user,
    keys: good(parseProviderKeys(readJwks('hospital-idp'))),
  }))
  if (listener === undefined) throw new TypeError('no listener')
  const keys = toChainKeys(chainKey, [chainKey.public])
  const credentials = {
    keys: () => keys,
    issuers: () => issuers,
    revocations: () => noRevocations,
  }
  let ids = 0
  const createId = () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`
  return createChecker({
    facts: createFacts(config, { ...listener, peer }, credentials, undefined, {
      createId,
      random: Math.random,
    }),
    observing: undefined,
    admission: openAdmission(),
    headers: { chain: 'actor-chain', userToken: ['authorization'], ids: [], unusable: () => [] },
    handedOn: () => {},
    revision: () => revision,
    meet: meetAtOnce,
    record: () => true,
    report: () => {},
    nowMs: () => nowMs,
    elapsedMs: () => 0,
    createDecisionId: createId,
  })
}

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { parseRecord } from '../src/audit/format/parse-record.ts'
import type { DecisionRecord } from '../src/audit/format/record.ts'
import { findDecision } from '../src/audit/read/query.ts'
import { readRevision } from '../src/audit/write/revision-store.ts'
import type { DelegatedChain } from '../src/base/model/chain.ts'
import { type DenyCode, isDeny } from '../src/base/model/decision.ts'
import { formatEntityUid } from '../src/base/model/entity-uid.ts'
import { isInvalid } from '../src/base/model/invalid.ts'
import { isProblems } from '../src/base/model/problems.ts'
import { loadStored } from '../src/cli/stored-revision.ts'
import { type Config, parseConfig } from '../src/config/config.ts'
import { type ChainKeys, toJwks } from '../src/decision/chain/keys.ts'
import { loadKeys } from '../src/decision/chain/keys-source.ts'
import { noRevocations, parseRevocations } from '../src/decision/chain/revocations.ts'
import { admitChain, type ChainTrust, verifySignedChain } from '../src/decision/chain/verify.ts'
import { judgeAgain } from '../src/explain/why.ts'
import type { Revision } from '../src/policy/revision/revision.ts'
import { readPolicyDirectory } from '../src/policy/source/directory-source.ts'
import { toPolicyFiles } from '../src/policy/source/policy-files.ts'
import { caller } from './support/hospital.ts'
import { mustLoad } from './support/policy-files.ts'

const v1 = 'test/compat/v1'
const revisionId = '9858c640f0af36ce4f1eb7d6c2a82198'

/** A chain as it was presented, and what it says. */
type PresentedChain = {
  readonly at: number
  readonly presentedBy: string
  readonly kid: string
  readonly means: Omit<DelegatedChain, 'kind' | 'actors' | 'digest'> & { readonly actors: readonly string[] }
}

/** The facts of a record that an auditor reads. */
type RecordMeaning = {
  readonly name: string
  readonly decisionId: string
  readonly outcome: DecisionRecord['outcome']
  readonly code?: DenyCode
  readonly caller?: string
  readonly service?: string
  readonly action?: string
  readonly resource?: string
  readonly onBehalfOf?: string
  /** Role and outcome of every principal. */
  readonly results: readonly string[]
}

/** The policies that decided, as a record names them. */
type RevisionMeaning = Pick<
  DecisionRecord,
  'decisionId' | 'outcome' | 'code' | 'policyRevision' | 'policyDigest'
> & { readonly name: string }

describe('compat v1: configuration', () => {
  it('reads every key as it was meant', () => {
    const config = readConfig(new Map())
    // A path of `jwks` has become one of several sources since, and `audience` may be a list.
    const users = config.users.map(({ keySource, audience, ...user }) => ({
      ...user,
      audience: typeof audience === 'string' ? audience : audience.join(),
      jwks: keySource.kind === 'file' ? keySource.path : undefined,
    }))
    expect({ ...config, users }).to.containSubset(readMeaning('config/means.json'))
  })

  it('reads the environment as it was meant', () => {
    const variables = new Map(Object.entries(readJson<Record<string, string>>('config/environment.json')))
    expect(readConfig(variables)).to.containSubset(readMeaning('config/environment.means.json'))
  })
})

describe('compat v1: keys and chains', () => {
  let keys: ChainKeys
  before(async () => {
    keys = await mustLoadKeys()
  })

  it('signs with `active`, verifies by all three, and publishes the same JWK Set', () => {
    const published = readJson<{ readonly keys: readonly { readonly kid: string }[] }>('keys/jwks.json')
    expect(keys.signing.public.kid).to.equal(published.keys[0]?.kid)
    expect(toJwks(keys.verifying)).to.deep.equal(published)
  })

  const names = readdirSync(join(v1, 'chains')).filter((name) => name.endsWith('.jws'))
  it('has chains', () => expect(names).to.have.length.above(4))

  for (const name of names.map((file) => file.replace(/\.jws$/, ''))) {
    it(`${name}: verifies, is admitted for its holder at that time, and says what it said`, async () => {
      const { at, presentedBy, kid, means } = readJson<PresentedChain>(`chains/${name}.json`)
      const chain = await present(name, keys, at, presentedBy)
      expect(typeof chain === 'string' ? chain : toMeaning(chain)).to.deep.include(means)
      expect([...keys.verifying.keys.keys()]).to.include(kid)
    })

    it(`${name}: is refused to others, and when its time is over`, async () => {
      const { at, presentedBy, means } = readJson<PresentedChain>(`chains/${name}.json`)
      const other = 'spiffe://hospital.example/ns/clinic/sa/agent-r'
      expect(await present(name, keys, at, other)).to.equal('chain_not_yours')
      expect(await present(name, keys, means.expiresAt + 30, presentedBy)).to.equal('chain_expired')
    })
  }
})

describe('compat v1: policies and evidence', () => {
  let revision: Revision
  before(async () => {
    const kept = await readRevision(join(v1, 'audit'), revisionId)
    if ('kind' in kept) throw new TypeError(kept.reason)
    revision = mustLoad(toPolicyFiles(kept))
  })

  it('loads the repository, under the name by which records know it', async () => {
    const directory = await readPolicyDirectory(join(v1, 'policies'))
    if (!('files' in directory)) throw new TypeError('the repository cannot be read')
    expect(directory.id).to.equal(revisionId)
    expect(mustLoad(directory).policies).to.have.length(17)
  })

  it('finds in the kept revision the same files, services and policies', () => {
    expect(revision.id).to.equal(revisionId)
    expect([...revision.catalog.byName.keys()]).to.include.members([
      'insurance',
      'price-list',
      'archive-copy',
    ])
    expect(revision.policies.map(({ id }) => id)).to.include.members([
      'records-team/patient-records.cedar#clinicians-only',
      'insurance-team/price-list.cedar#2',
    ])
    expect(revision.catalog.byName.get('price-list')).to.deep.include({
      scopes: ['prices:read', 'prices:list'],
      hopLifetimeSeconds: 90,
      isEntry: false,
      forwards: false,
    })
  })

  const meanings = readJson<readonly RecordMeaning[]>('audit/means.json')
  const lines = readRecordLines()
  it('has a meaning for every record', () => expect(lines).to.have.length(meanings.length))

  for (const [index, { name, ...meaning }] of meanings.entries()) {
    it(`${name}: the record says what it said`, () => {
      expect(summarize(mustParse(lines[index]))).to.deep.equal(meaning)
    })
  }

  const judged = meanings.filter(({ action }) => action !== undefined)
  it('has records that can be judged again', () => expect(judged).to.have.length.above(8))

  for (const { name, decisionId, code } of judged) {
    it(`${name}: judged again, it comes out the same`, () => {
      const record = mustParse(lines.find((line) => line.includes(decisionId)))
      const again = judgeAgain(record, revision)
      if (isInvalid(again)) throw new TypeError(again.reason)
      expect(again.differences).to.deep.equal([])
      expect(again.code).to.equal(code)
    })
  }
})

describe('compat v2: evidence of a Git revision', () => {
  const audit = 'test/compat/v2/audit'
  const meanings: readonly RevisionMeaning[] = JSON.parse(readFileSync(join(audit, 'means.json'), 'utf8'))

  for (const { name, ...meaning } of meanings) {
    it(`${name}: names by their digest the files that were kept, and judged again, it comes out the same`, async () => {
      const found = await findDecision([audit], meaning.decisionId)
      if (isInvalid(found)) throw new TypeError(found.reason)
      const { record } = found
      expect(record).to.deep.include(meaning)
      const kept = await loadStored(audit, record)
      if (isInvalid(kept)) throw new TypeError(kept.reason)
      const again = judgeAgain(record, kept)
      expect(again).to.deep.include({ differences: [] })
    })
  }
})

describe('compat v1: revocations', () => {
  const revocations = parseRevocations(readFileSync(join(v1, 'revocations.json'), 'utf8'))
  if (!('actor' in revocations)) throw new TypeError('the revocations do not parse')
  const { forGood, notBefore } = readJson<{
    readonly forGood: Readonly<Record<string, readonly string[]>>
    readonly notBefore: Readonly<Record<string, Readonly<Record<string, number>>>>
  }>('revocations.means.json')

  for (const [kind, entries] of Object.entries(revocations)) {
    it(`${kind}: revokes whom it revoked, and for what began before`, () => {
      const expected = [
        ...(forGood[kind] ?? []).map((id) => [id, Number.POSITIVE_INFINITY] as const),
        ...Object.entries(notBefore[kind] ?? {}),
      ]
      expect([...entries]).to.have.deep.members(expected)
    })
  }
})

function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(join(v1, name), 'utf8'))
}

function readMeaning(name: string): object {
  const text = readFileSync(join(v1, name), 'utf8')
  return JSON.parse(text.replaceAll('<config>', resolve(v1, 'config')).replaceAll('<v1>', resolve(v1)))
}

function readConfig(environment: ReadonlyMap<string, string>): Config {
  const file = join(v1, 'config/waywarden.yaml')
  const config = parseConfig(file, readFileSync(file, 'utf8'), environment)
  if (isProblems(config)) throw new TypeError(JSON.stringify(config.problems))
  return config
}

async function mustLoadKeys(): Promise<ChainKeys> {
  const keys = await loadKeys(join(v1, 'keys'))
  if (isProblems(keys)) throw new TypeError(keys.problems.map(({ reason }) => reason).join('\n'))
  return keys
}

/** The chain, or why it is refused: verified by the keys that lie beside the chain and the limits of the configuration of its time. */
async function present(
  name: string,
  { verifying }: ChainKeys,
  at: number,
  by: string,
): Promise<DelegatedChain | DenyCode> {
  const { chain: limits, users } = readConfig(new Map())
  const trust: ChainTrust = {
    ...limits,
    keys: verifying,
    userIssuers: new Map(users.map((user) => [user.issuer, user.name])),
  }
  const text = readFileSync(join(v1, 'chains', `${name}.jws`), 'utf8').trimEnd()
  const proven = verifySignedChain(text, trust)
  if (isDeny(proven)) return proven.code
  const chain = admitChain(proven, caller(by), trust, at * 1000, noRevocations)
  return isDeny(chain) ? chain.code : chain
}

function toMeaning({ actors, ...chain }: DelegatedChain): PresentedChain['means'] {
  return { ...chain, actors: actors.map(({ uri }) => uri) }
}

function readRecordLines(): readonly string[] {
  const [segment = ''] = readdirSync(join(v1, 'audit')).filter((name) => name.endsWith('.ndjson'))
  return readFileSync(join(v1, 'audit', segment), 'utf8')
    .trimEnd()
    .split('\n')
}

function mustParse(line: string | undefined): DecisionRecord {
  const record = parseRecord(line ?? '')
  if (isInvalid(record)) throw new TypeError(record.reason)
  return record
}

function summarize(record: DecisionRecord): Omit<RecordMeaning, 'name'> {
  const { decisionId, outcome, code, caller: who, service, target, chain, results } = record
  const summary = {
    decisionId,
    outcome,
    code,
    caller: who?.id,
    service: service?.name,
    action: target?.action.id,
    resource: target && formatEntityUid(target.resource),
    onBehalfOf: chain === undefined || chain.kind === 'none' ? undefined : chain.subject.id,
    results: results.map((result) => `${result.role} ${result.outcome}`),
  }
  // An absent field of a record is absent from its JSON too.
  return JSON.parse(JSON.stringify(summary))
}

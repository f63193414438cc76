import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { isDeny } from '../../src/base/model/decision.ts'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { parseCheckRequestJson } from '../../src/explain/check-request-json.ts'
import { replayUnverified } from '../../src/explain/unverified-replay.ts'
import type { Revision } from '../../src/policy/revision/revision.ts'
import { hospitalRevision, mustLoad, policyFiles } from '../support/policy-files.ts'

const options = { header: 'actor-chain', issuerName: undefined }

describe('explain/unverified-replay', () => {
  let sample: Revision
  before(async () => {
    sample = await hospitalRevision()
  })

  async function outcomeOf(name: string, revision = sample): Promise<string> {
    const captured = parseCheckRequestJson(readFileSync(`test/cases/check/${name}.json`, 'utf8'))
    if (isInvalid(captured)) throw new TypeError(captured.reason)
    const verdict = replayUnverified(captured.input, revision, { ...options, peer: captured.peer })
    if (isInvalid(verdict)) return 'invalid'
    return isDeny(verdict.decision) ? verdict.decision.code : 'allow'
  }

  const cases: readonly { readonly name: string; readonly want: string }[] = [
    { name: 'first-hop', want: 'allow' },
    { name: 'second-hop', want: 'allow' },
    { name: 'last-hop', want: 'allow' },
    { name: 'metadata', want: 'allow' },
    { name: 'record-for-the-clerk', want: 'policy_denied' },
    { name: 'replay', want: 'chain_not_yours' },
    { name: 'two-chains', want: 'chain_malformed' },
    { name: 'no-chain', want: 'chain_missing' },
    { name: 'unknown-service', want: 'service_unknown' },
    { name: 'odd-path', want: 'path_ambiguous' },
    { name: 'metadata-forged-header', want: 'peer_missing' },
  ]
  for (const { name, want } of cases) {
    it(`judges the captured ${name}: ${want}`, async () => {
      expect(await outcomeOf(name)).to.equal(want)
    })
  }

  it('cannot name users when the policies name no identity provider', async () => {
    expect(await outcomeOf('last-hop', mustLoad(policyFiles()))).to.equal('invalid')
  })
})

import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { parseRecord, toCaller, toChain, toTarget } from '../../../src/audit/format/parse-record.ts'
import { type DecisionRecord, formatRecord } from '../../../src/audit/format/record.ts'
import { toRecord } from '../../../src/audit/format/to-record.ts'
import { deny } from '../../../src/base/model/decision.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import type { RecordParts } from '../../../src/base/model/record-parts.ts'
import { clerkChain, deniedParts, recordTarget, secrets } from '../../support/decision.ts'

const golden = readFileSync(new URL('../../cases/decision-record-v1.json', import.meta.url), 'utf8')

describe('audit/format/record', () => {
  it('is version 1, field by field and in this order', () => {
    expect(`${JSON.stringify(JSON.parse(formatRecord(toRecord(deniedParts()))), null, 2)}\n`).to.equal(golden)
  })

  it('holds no token, header value or query', () => {
    const line = formatRecord(toRecord(deniedParts()))
    for (const secret of secrets) expect(line).not.to.contain(secret)
  })

  it('names the minted child, its parent and its key, and nothing else of it', () => {
    const onward = {
      jti: 'jti-child',
      txn: 'txn-1',
      kid: 'key-1',
      parHash: 'parent-digest',
      header: secrets[0],
    }
    const record = toRecord({ ...deniedParts(), decision: { kind: 'allow', results: [] }, onward })
    expect(record).to.include({
      outcome: 'allow',
      jtiIn: 'jti-parent',
      jtiOut: 'jti-child',
      parHash: 'parent-digest',
    })
    expect(record).to.include({ kid: 'key-1', txn: 'txn-1', code: undefined })
    expect(formatRecord(record)).not.to.contain(secrets[0])
  })

  it('takes the txn of a first hop from the chain that it minted', () => {
    const { subject, scopes } = clerkChain
    const chain = {
      kind: 'first-hop',
      subject,
      scopes,
      issuedAt: 1,
      expiresAt: 2,
      authTime: 3,
    } as const
    const record = toRecord({ ...deniedParts(), chain, onward: { jti: 'j', txn: 'txn-9', kid: 'k' } })
    expect(record).to.include({ txn: 'txn-9', jtiIn: undefined })
    expect(parseAgain(record).chain).to.deep.equal(chain)
  })

  it('records a check that ended before anything was known', () => {
    const decision = {
      kind: 'deny',
      code: 'request_malformed',
      reason: 'not a CheckRequest',
      results: [],
    } as const
    const record = parseAgain(toRecord({ decisionId: 'd', timeMs: 0, durationMicros: 1, decision }))
    expect(record).to.include({ decisionId: 'd', outcome: 'deny', code: 'request_malformed' })
    for (const known of [toCaller(record), toChain(record), toTarget(record, recordTarget.service)]) {
      expect(isInvalid(known)).to.equal(true)
    }
  })

  it('gives back what judge needs', () => {
    const parts = deniedParts()
    const record = parseAgain(toRecord(parts))
    expect(toCaller(record)).to.deep.equal(parts.caller)
    expect(toChain(record)).to.deep.equal(parts.chain)
    expect(toTarget(record, recordTarget.service)).to.deep.equal(parts.target)
  })

  it('stays one line that no terminal obeys, whatever a client sends', () => {
    const hostile = 'a\nb\r\u001b[31m\u2028\u2029\u0085\u202e\u0000\ud800'
    const input = { ...(deniedParts().input ?? never()), host: hostile, path: `/${hostile}`, method: hostile }
    const line = formatRecord(toRecord({ ...deniedParts(), input }))
    expect(line.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu)).to.deep.equal(['\n'])
    expect(JSON.parse(line).request.host).to.equal(hostile)
  })

  it('cuts what is too long, says so, and refuses to judge again what it cut', () => {
    const long = 'x'.repeat(9000)
    const input = { ...(deniedParts().input ?? never()), path: `/${long}`, host: long }
    const target = { ...recordTarget, path: `/${long}`, params: [{ name: 'patientId', value: long }] }
    const record = toRecord({ ...deniedParts(), input, target })
    expect(record.truncated).to.deep.equal(['request.path', 'request.host', 'target.params.patientId'])
    expect(record.request?.host).to.match(/^x{2048}…\[9000 characters, sha256 [0-9a-f]{64}\]$/)
    expect(isInvalid(toTarget(parseAgain(record), recordTarget.service))).to.equal(true)
  })

  it('keeps every path that the catalog accepts whole', () => {
    const path = `/${'x'.repeat(8191)}`
    const input = { ...(deniedParts().input ?? never()), path }
    expect(toRecord({ ...deniedParts(), input }).request?.path).to.equal(path)
  })

  it('keeps a parameter that is named like a property of every object', () => {
    const params = [
      { name: 'constructor', value: 'a' },
      { name: 'toString', value: 'b' },
    ]
    const record = parseAgain(toRecord({ ...deniedParts(), target: { ...recordTarget, params } }))
    const target = toTarget(record, recordTarget.service)
    expect('params' in target && target.params).to.deep.equal(params)
  })

  it('keeps little of a request that was refused before it was judged', () => {
    const parts = deniedParts()
    const long = '\u007f'.repeat(20_000)
    const input = {
      method: long,
      path: `/${long}`,
      host: long,
      destinationAddress: '10.0.0.1:80',
      headers: new Map(),
    }
    const unjudged = {
      ...parts,
      target: undefined,
      chain: undefined,
      input,
      decision: deny('chain_missing', 'none'),
    }
    expect(formatRecord(toRecord(unjudged)).length).to.be.below(12_000)
  })
})

function parseAgain(record: DecisionRecord): DecisionRecord {
  const parsed = parseRecord(formatRecord(record))
  if (isInvalid(parsed)) throw new Error(parsed.reason)
  return parsed
}

function never(): NonNullable<RecordParts['input']> {
  throw new Error('the example has an input')
}

import { createHash, type KeyObject, verify } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'chai'
import { formatRecord } from '../../../src/audit/format/record.ts'
import { toRecord } from '../../../src/audit/format/to-record.ts'
import {
  formatProof,
  type Proof,
  parseProof,
  proveDecision,
  verifyProof,
} from '../../../src/audit/read/proof.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { deniedParts, repeatedParts } from '../../support/decision.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { decisionIds, publicKeyOf, writeLog } from '../../support/written-log.ts'

describe('audit/read/proof', () => {
  let directory: string
  let key: KeyObject
  const ids = decisionIds(60)
  before(async () => {
    directory = join(temporaryDirectory(), 'audit')
    // A few decisions, each repeated: most records say no more than what tells them apart.
    const toParts = (id: string) => (id.endsWith('0') ? deniedParts(id) : repeatedParts(id))
    await writeLog(directory, ids, { maxSegmentBytes: 12_000, sealEvery: 7 }, toParts)
    key = publicKeyOf(directory)
  })

  it('proves every record to somebody who has never seen our code', async () => {
    for (const id of ids) {
      const text = formatProof(await prove(id))
      const [line = '', of] = checkByTheText(text, key)
      expect(line).to.include(`"decisionId":"${id}"`)
      expect(`${line}${of ?? ''}`).to.include('clerk')
    }
  })

  it('proves the whole record, whether it stands in one line or two', async () => {
    for (const id of ids) {
      const proven = verifyProof(await prove(id), [key])
      expect(!isInvalid(proven) && formatRecord(proven.record)).to.equal(
        formatRecord(toRecord(deniedParts(id))),
      )
    }
    expect((await prove('d-0010')).of).to.equal(undefined)
    expect((await prove('d-0017')).of).to.be.a('string')
  })

  it('comes back from its text, and verifies', async () => {
    const proof = await prove('d-0017')
    const parsed = parseProof(formatProof(proof))
    expect(parsed).to.deep.equal(proof)
    expect(!isInvalid(parsed) && isInvalid(verifyProof(parsed, [key]))).to.equal(false)
  })

  const forgeries: readonly { name: string; forge: (proof: Proof) => Proof }[] = [
    { name: 'another record', forge: (proof) => ({ ...proof, line: proof.line.replace(':412', ':413') }) },
    {
      name: 'another record to repeat',
      forge: (proof) => ({ ...proof, of: proof.of?.replace('clerk', 'chief') }),
    },
    { name: 'a repeat of nothing', forge: (proof) => ({ ...proof, of: undefined }) },
    { name: 'another place', forge: (proof) => ({ ...proof, index: proof.index + 1 }) },
    { name: 'a shorter path', forge: (proof) => ({ ...proof, path: proof.path.slice(1) }) },
    { name: 'another path', forge: (proof) => ({ ...proof, path: proof.path.toReversed() }) },
    {
      name: 'a larger tree',
      forge: (proof) => ({ ...proof, note: proof.note.replace(/\n(\d+)\n/, '\n9$1\n') }),
    },
  ]
  for (const { name, forge } of forgeries) {
    it(`does not prove ${name}`, async () => {
      expect(isInvalid(verifyProof(forge(await prove('d-0017')), [key]))).to.equal(true)
    })
  }

  it('proves nothing of a decision that is not there, or under no checkpoint yet', async () => {
    expect(isInvalid(await proveDecision([directory], 'nobody'))).to.equal(true)
  })

  for (const text of [
    '',
    'c2sp.org/tlog-proof@v1\n',
    'c2sp.org/tlog-proof@v1\nextra AA==\nindex 01\n\nnote',
  ]) {
    it(`refuses ${JSON.stringify(text)} as a proof`, () => expect(isInvalid(parseProof(text))).to.equal(true))
  }

  async function prove(id: string): Promise<Proof> {
    const proof = await proveDecision([directory], id)
    if (isInvalid(proof)) throw new Error(proof.reason)
    return proof
  }
})

/**
 * A second implementation of C2SP tlog-proof, tlog-checkpoint, signed-note and RFC 6962 §2.1.1: the record, or an
 * error.
 */
function checkByTheText(proof: string, publicKey: KeyObject): readonly string[] {
  const [head = '', text = '', signatures = ''] = proof.split('\n\n')
  const [magic, extra = '', index = '', ...hashes] = head.split('\n')
  const [origin = '', size = '', root] = text.split('\n')
  const lines = Buffer.from(extra.replace('extra ', ''), 'base64').toString().split('\n')
  const [record = '', of] = lines
  const path = hashes.map((hash) => Buffer.from(hash, 'base64'))
  const leaf = sha256(Buffer.of(0), Buffer.from(record))
  if (of !== undefined) {
    expect(sha256(Buffer.of(0), Buffer.from(of)).toString('base64')).to.equal(JSON.parse(record).leaf)
  }
  const found = climb(leaf, Number(index.replace('index ', '')), Number(size), path)
  const [, name, encoded = ''] = signatures.trimEnd().split(' ')
  const signature = Buffer.from(encoded, 'base64')
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
  const id = sha256(Buffer.from(`${origin}\n`), Buffer.of(1), raw).subarray(0, 4)
  expect(magic).to.equal('c2sp.org/tlog-proof@v1')
  expect(name).to.equal(origin)
  expect(signature.subarray(0, 4)).to.deep.equal(id)
  expect(verify(null, Buffer.from(`${text}\n`), publicKey, signature.subarray(4))).to.equal(true)
  expect(found.toString('base64')).to.equal(root)
  return lines
}

/** From the root down, as PATH(m, D[n]) is defined: the last hash of the path is the root's other child. */
function climb(leaf: Buffer, index: number, size: number, path: readonly Buffer[]): Buffer {
  const sibling = path.at(-1)
  if (size === 1 || sibling === undefined) {
    expect([size, path.length]).to.deep.equal([1, 0])
    return leaf
  }
  let split = 1
  while (split * 2 < size) split *= 2
  return index < split
    ? sha256(Buffer.of(1), climb(leaf, index, split, path.slice(0, -1)), sibling)
    : sha256(Buffer.of(1), sibling, climb(leaf, index - split, size - split, path.slice(0, -1)))
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const digest = createHash('sha256')
  for (const part of parts) digest.update(part)
  return digest.digest()
}

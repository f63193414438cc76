import {
  generateKeyPairSync,
  hash,
  type KeyObject,
  type KeyPairKeyObjectResult,
  webcrypto,
} from 'node:crypto'
import { expect } from 'chai'
import {
  formatVerifierKey,
  parseCheckpoint,
  rawPublicKey,
  signCheckpoint,
  verifyCheckpoint,
} from '../../../src/audit/format/checkpoint.ts'
import { leafHash, toBase64 } from '../../../src/audit/format/merkle.ts'
import { parsePublicKey } from '../../../src/audit/log/log-key.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'

const checkpoint = {
  origin: 'waywarden.hospital.example/audit/replica-1',
  size: 42,
  root: leafHash(Buffer.from('x')),
}

describe('audit/format/checkpoint', () => {
  let publicKey: KeyObject
  let other: KeyPairKeyObjectResult
  let note: string
  before(() => {
    const own = generateKeyPairSync('ed25519')
    publicKey = own.publicKey
    other = generateKeyPairSync('ed25519')
    note = signCheckpoint(checkpoint, own.privateKey, publicKey)
  })

  it('is a signed note that others can verify', async () => {
    const [text = '', signed = ''] = note.split('\n\n')
    expect(text.split('\n')).to.deep.equal([checkpoint.origin, '42', toBase64(checkpoint.root)])
    const [dash, name, encoded = ''] = signed.trimEnd().split(' ')
    expect([dash, name]).to.deep.equal(['\u2014', checkpoint.origin])
    const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
    expect(raw).to.deep.equal(rawPublicKey(publicKey))
    const bytes = Buffer.from(encoded, 'base64')
    const id = hash('sha256', Buffer.concat([Buffer.from(`${name}\n\u0001`), raw]), 'buffer')
    expect(bytes.subarray(0, 4)).to.deep.equal(id.subarray(0, 4))
    const key = await webcrypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify'])
    const isSigned = await webcrypto.subtle.verify(
      'Ed25519',
      key,
      bytes.subarray(4),
      Buffer.from(`${text}\n`),
    )
    expect(isSigned).to.equal(true)
  })

  it('comes back as it was signed', () => {
    expect(verifyCheckpoint(note, [other.publicKey, publicKey])).to.deep.equal(checkpoint)
    expect(parseCheckpoint(note)).to.deep.equal(checkpoint)
  })

  it('passes over signatures of witnesses', () => {
    expect(isInvalid(verifyCheckpoint(`${note}\u2014 witness.example AAAAAAAA\n`, [publicKey]))).to.equal(
      false,
    )
  })

  const refused = [
    { name: 'another size', input: () => note.replace('\n42\n', '\n41\n') },
    { name: 'another origin', input: () => note.replace('replica-1\n42', 'replica-2\n42') },
    { name: 'another signature', input: () => note.replace(/.{12}\n$/, `${'A'.repeat(11)}=\n`) },
    {
      name: 'the signature of a namesake',
      input: () => signCheckpoint(checkpoint, other.privateKey, publicKey),
    },
    { name: 'a leading zero', input: () => note.replace('\n42\n', '\n042\n') },
    { name: 'no signature', input: () => note.slice(0, note.indexOf('\u2014')) },
    { name: 'a short root', input: () => note.replace(toBase64(checkpoint.root), 'AAAA') },
    { name: 'nothing', input: () => '' },
  ]
  for (const { name, input } of refused) {
    it(`refuses ${name}`, () => expect(isInvalid(verifyCheckpoint(input(), [publicKey]))).to.equal(true))
  }

  it('refuses a key that was not given', () => {
    expect(isInvalid(verifyCheckpoint(note, [other.publicKey]))).to.equal(true)
    expect(isInvalid(verifyCheckpoint(note, []))).to.equal(true)
  })

  for (const known of [
    'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8',
    'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  ]) {
    it(`names keys as the Go checksum database does: ${known.slice(0, 20)}`, () => {
      const key = parsePublicKey(known)
      expect(!isInvalid(key) && formatVerifierKey(known.split('+')[0] ?? '', key)).to.equal(known)
    })
  }
})

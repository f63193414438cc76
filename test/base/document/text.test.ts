import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { decodeText } from '../../../src/base/document/text.ts'

const text = '{"name": "é 錠"}\r\n'
const little = Buffer.from(text, 'utf16le')
const big = Buffer.from(little).swap16()

const saved: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ['UTF-8', Buffer.from(text)],
  ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${text}`)],
  ['UTF-16, as PowerShell writes it', Buffer.concat([Buffer.of(0xff, 0xfe), little])],
  ['UTF-16 of the other byte order', Buffer.concat([Buffer.of(0xfe, 0xff), big])],
  ['UTF-16 without a byte order mark', little],
  ['UTF-16 of the other byte order without a mark', big],
]

describe('base/document/text', () => {
  for (const [name, bytes] of saved) {
    it(`reads ${name}`, () => expect(decodeText(bytes)).to.equal(text))
  }

  it('reads nothing as nothing', () => expect(decodeText(new Uint8Array())).to.equal(''))

  const refused: readonly (readonly [name: string, bytes: Uint8Array, says: RegExp])[] = [
    ['an archive', gzipSync(text), /gzip/],
    ['Latin-1', Buffer.from('\u00e9', 'latin1'), /UTF-8/],
    ['half of a character of UTF-16', Buffer.of(0xff, 0xfe, 0x41), /UTF-16/],
  ]
  for (const [name, bytes, says] of refused) {
    it(`refuses ${name}`, () => expect(decodeText(bytes)).to.have.property('reason').that.matches(says))
  }
})

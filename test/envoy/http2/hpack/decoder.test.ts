import { expect } from 'chai'
import {
  createHpackDecoder,
  decodeHeaderBlock,
  type HpackDecoder,
} from '../../../../src/envoy/http2/hpack/decoder.ts'
import { encodeHeaderBlock } from '../../../../src/envoy/http2/hpack/encoder.ts'
import { createRandom, seed } from '../../../support/random.ts'

const limits = { maxHeaderListBytes: 65_536, maxHeaderFields: 256 }

/** RFC 7541 Appendix C.3 to C.6: blocks of one connection, what they say, and the table's size after each. */
const connections: readonly {
  readonly name: string
  readonly tableBytes: number
  readonly blocks: readonly (readonly [hex: string, text: string, tableBytes: number])[]
}[] = [
  {
    name: 'C.3, requests without Huffman coding',
    tableBytes: 4096,
    blocks: [
      [
        '828684410f7777772e6578616d706c652e636f6d',
        ':method: GET, :scheme: http, :path: /, :authority: www.example.com',
        57,
      ],
      [
        '828684be58086e6f2d6361636865',
        ':method: GET, :scheme: http, :path: /, :authority: www.example.com, cache-control: no-cache',
        110,
      ],
      [
        '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
        ':method: GET, :scheme: https, :path: /index.html, :authority: www.example.com, custom-key: custom-value',
        164,
      ],
    ],
  },
  {
    name: 'C.4, requests with Huffman coding',
    tableBytes: 4096,
    blocks: [
      [
        '828684418cf1e3c2e5f23a6ba0ab90f4ff',
        ':method: GET, :scheme: http, :path: /, :authority: www.example.com',
        57,
      ],
      [
        '828684be5886a8eb10649cbf',
        ':method: GET, :scheme: http, :path: /, :authority: www.example.com, cache-control: no-cache',
        110,
      ],
      [
        '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
        ':method: GET, :scheme: https, :path: /index.html, :authority: www.example.com, custom-key: custom-value',
        164,
      ],
    ],
  },
  {
    name: 'C.6, responses with Huffman coding, from a table of 256 bytes',
    tableBytes: 256,
    blocks: [
      [
        '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
        ':status: 302, cache-control: private, date: Mon, 21 Oct 2013 20:13:21 GMT, location: https://www.example.com',
        222,
      ],
      [
        '4883640effc1c0bf',
        ':status: 307, cache-control: private, date: Mon, 21 Oct 2013 20:13:21 GMT, location: https://www.example.com',
        222,
      ],
      [
        '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
        ':status: 200, cache-control: private, date: Mon, 21 Oct 2013 20:13:22 GMT, location: https://www.example.com, content-encoding: gzip, set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
        215,
      ],
    ],
  },
]

describe('envoy/http2/hpack/decoder', () => {
  for (const { name, tableBytes, blocks } of connections) {
    it(`decodes RFC 7541 ${name}`, () => {
      const decoder = createHpackDecoder(tableBytes)
      for (const [hex, text, size] of blocks) {
        expect(decode(decoder, hex)).to.equal(text)
        expect(decoder.table.bytes).to.equal(size)
      }
    })
  }

  for (const { name, hex } of [
    { name: 'an index of 0', hex: '80' },
    { name: 'an index beyond the table', hex: 'be' },
    { name: 'a name beyond the table', hex: '7e0161' },
    { name: 'a string that is cut off', hex: '400161036162' },
    { name: 'a length that is cut off', hex: '4001617f' },
    { name: 'an integer without end', hex: 'ffffffffffffff' },
    { name: 'an integer that overflows', hex: 'ff8080808010' },
    { name: 'a table larger than allowed', hex: '3fe21f' },
    { name: 'a table size after a field', hex: '8220' },
    { name: 'a third table size', hex: '202020' },
    { name: 'padding of eight bits', hex: '00016182ffff' },
    { name: 'padding that is not all ones', hex: '0001618100' },
    { name: 'the end of a string within it', hex: '00016184ffffffff' },
  ]) {
    it(`refuses ${name}`, () => expect(decode(createHpackDecoder(4096), hex)).to.equal('undefined'))
  }

  for (const { name, hex, want } of [
    { name: 'two table sizes before a field', hex: '203fe11f82', want: ':method: GET' },
    { name: 'a field that is never kept', hex: '1001610162', want: 'a: b' },
    { name: 'an empty block', hex: '', want: '' },
  ]) {
    it(`takes ${name}`, () => expect(decode(createHpackDecoder(4096), hex)).to.equal(want))
  }

  it('forgets what no longer fits, all of it when one field is larger than the table', () => {
    const decoder = createHpackDecoder(4096)
    expect(decode(decoder, '4001610162')).to.equal('a: b')
    expect(decode(decoder, 'be')).to.equal('a: b')
    decodeHeaderBlock(decoder, large(5000), 0, 5006, limits)
    expect(decoder.table).to.include({ bytes: 0, count: 0 })
    expect(decode(decoder, 'be')).to.equal('undefined')
  })

  it('forgets what no longer fits when the table becomes smaller', () => {
    const decoder = createHpackDecoder(4096)
    expect(decode(decoder, '4001610162')).to.equal('a: b')
    expect(decode(decoder, '20')).to.equal('')
    expect(decode(decoder, '3fe11fbe')).to.equal('undefined')
  })

  it('keeps in step through a list that is too large', () => {
    const decoder = createHpackDecoder(4096)
    const block = Buffer.concat([Buffer.from('4001610162', 'hex'), Buffer.alloc(3000, 0xbe)])
    expect(decodeHeaderBlock(decoder, block, 0, block.length, limits)).to.equal('too_large')
    expect(decode(decoder, 'be')).to.equal('a: b')
  })

  it(`reads back what the encoder writes (SEED=${seed})`, () => {
    const random = createRandom(seed)
    for (let run = 0; run < 200; run++) {
      const fields = Array.from({ length: random(10) }, () => {
        const text = (length: number) =>
          Array.from({ length }, () => String.fromCharCode(97 + random(26))).join('')
        return [text(1 + random(300)), text(random(300))] as const
      })
      const block = encodeHeaderBlock([[':status', '200'], ['content-type', 'application/grpc'], ...fields])
      const decoded = decodeHeaderBlock(createHpackDecoder(0), block, 0, block.length, limits)
      const pairs = Array.isArray(decoded) ? decoded.map(({ name, value }) => [name, value]) : decoded
      expect(pairs?.slice(2)).to.deep.equal(fields)
    }
  })

  it(`survives any bytes (SEED=${seed})`, () => {
    const random = createRandom(seed)
    const decoder = createHpackDecoder(4096)
    for (let run = 0; run < 5000; run++) {
      const bytes = Buffer.from(Array.from({ length: random(60) }, () => random(256)))
      decodeHeaderBlock(decoder, bytes, 0, bytes.length, limits)
      expect(decoder.table.bytes).to.be.within(0, 4096)
      expect(decoder.at).to.be.at.most(bytes.length)
    }
  })
})

function large(valueBytes: number): Buffer {
  const length = valueBytes - 127
  const head = Buffer.from([0x40, 1, 0x61, 0x7f, (length & 0x7f) | 0x80, length >> 7])
  return Buffer.concat([head, Buffer.alloc(valueBytes, 0x62)])
}

function decode(decoder: HpackDecoder, hex: string): string {
  const bytes = Buffer.from(hex, 'hex')
  const block = decodeHeaderBlock(decoder, bytes, 0, bytes.length, limits)
  return Array.isArray(block) ? block.map(({ name, value }) => `${name}: ${value}`).join(', ') : String(block)
}

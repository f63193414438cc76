import { expect } from 'chai'
import { createOutput, flush, put, putFrame } from '../../../src/envoy/http2/output.ts'

function createSink(takes: boolean) {
  const pool: { readonly free: Buffer[] } = { free: [] }
  const written: Buffer[] = []
  const output = createOutput(pool, (bytes) => {
    written.push(bytes)
    return takes
  })
  return { pool, output, written }
}

describe('envoy/http2/output', () => {
  it('writes once what was put in parts', () => {
    const { output, written } = createSink(true)
    put(output, Buffer.from('ab'))
    putFrame(output, 0x1, 0x4, 5, Buffer.from('xpayloadx'), 1, 8)
    flush(output)
    expect(written.map((bytes) => bytes.toString('hex'))).to.deep.equal([
      `6162000007010400000005${Buffer.from('payload').toString('hex')}`,
    ])
  })

  it('writes nothing when nothing was put', () => {
    const { output, written } = createSink(true)
    flush(output)
    expect(written).to.deep.equal([])
  })

  it('uses a buffer again only when its bytes were taken', () => {
    for (const takes of [true, false]) {
      const { output, pool } = createSink(takes)
      put(output, Buffer.from('a'))
      flush(output)
      expect(pool.free).to.have.length(takes ? 1 : 0)
    }
  })

  it('never writes over bytes that were not taken', () => {
    const { output, written } = createSink(false)
    for (const text of ['first', 'other']) {
      put(output, Buffer.from(text))
      flush(output)
    }
    expect(written.map(String)).to.deep.equal(['first', 'other'])
  })

  it('keeps the order of what is larger than a buffer', () => {
    const { output, written } = createSink(false)
    const parts = [
      Buffer.alloc(10, 1),
      Buffer.alloc(200_000, 2),
      Buffer.alloc(60_000, 3),
      Buffer.alloc(60_000, 4),
    ]
    for (const part of parts) put(output, part)
    flush(output)
    expect(Buffer.concat(written).equals(Buffer.concat(parts))).to.equal(true)
  })

  it('keeps few buffers', () => {
    const { output, pool } = createSink(true)
    const others = Array.from({ length: 40 }, () => createOutput(pool, () => true))
    for (const other of others) put(other, Buffer.from('a'))
    for (const other of [...others, output]) flush(other)
    expect(pool.free.length).to.equal(16)
  })
})

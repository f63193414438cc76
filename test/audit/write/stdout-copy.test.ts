import { PassThrough, Writable } from 'node:stream'
import { expect } from 'chai'
import { StdoutCopy } from '../../../src/audit/write/stdout-copy.ts'

const line = Buffer.alloc(1000, 'x')

describe('audit/write/stdout-copy', () => {
  let lost: unknown[]
  beforeEach(() => {
    lost = []
  })

  it('passes every line on to a reader that keeps up', async () => {
    const stream = new PassThrough({ highWaterMark: 1e9 })
    await using copy = new StdoutCopy(stream, (cause) => lost.push(cause))
    for (let index = 0; index < 100; index++) copy.write(line)
    expect(stream.readableLength).to.equal(100 * line.length)
    expect(lost).to.deep.equal([])
  })

  it('holds a bounded number of bytes for a reader that stalls, and tells once', () => {
    const stream = new Writable({ write: () => {} })
    const copy = new StdoutCopy(stream, (cause) => lost.push(cause))
    for (let index = 0; index < 5000; index++) copy.write(line)
    expect(stream.writableLength).to.be.within(1_000_000, 1024 * 1024)
    expect(lost).to.have.length(1)
  })

  it('tells of a second outage', async () => {
    const waiting: (() => void)[] = []
    const stream = new Writable({ write: (_chunk, _encoding, done) => void waiting.push(done) })
    const copy = new StdoutCopy(stream, (cause) => lost.push(cause))
    for (let outage = 1; outage <= 2; outage++) {
      for (let index = 0; index < 2000; index++) copy.write(line)
      expect(lost).to.have.length(outage)
      while (stream.writableLength > 0) {
        waiting.shift()?.()
        await new Promise(setImmediate)
      }
    }
  })

  it('survives a reader that leaves', async () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) })
    await using copy = new StdoutCopy(stream, (cause) => lost.push(cause))
    copy.write(line)
    await new Promise(setImmediate)
    copy.write(line)
    expect(lost).to.have.length(1)
  })
})

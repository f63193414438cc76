import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { expect } from 'chai'
import { passLines } from '../../../src/server/workers/pass-lines.ts'

describe('server/workers/pass-lines', () => {
  for (const { name, chunks, want } of [
    { name: 'passes a line on as it comes', chunks: ['a\n'], want: ['a\n'] },
    { name: 'puts one together that comes in pieces', chunks: ['a', 'b', 'c\n'], want: ['abc\n'] },
    { name: 'keeps back what has not ended', chunks: ['a\nb', 'c\nd\n'], want: ['a\n', 'bc\nd\n'] },
    { name: 'ends what nobody ended', chunks: ['a\nb'], want: ['a\n', 'b\n'] },
  ]) {
    it(name, async () => {
      const stream = new PassThrough()
      const written: string[] = []
      passLines(stream, (lines) => written.push(String(lines)))
      for (const chunk of chunks) {
        stream.write(chunk)
        await new Promise(setImmediate)
      }
      stream.end()
      await once(stream, 'end')
      expect(written).to.deep.equal(want)
    })
  }
})

import { expect } from 'chai'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { cutRevocations } from '../../../src/decision/chain/revocations-cut.ts'

/** The largest step, for any file. */
const maxStepBytes = 100 * 1024
const large = 'x'.repeat(200_000)

describe('decision/chain/revocations-cut', () => {
  it('cuts between elements, and leaves the rest as it is', () => {
    const file = '{"version": 1, "entries": [{"a": [1, 2]}, "],[", 3 ] }'
    expect(cut(file, 1)).to.deep.equal({
      pieces: ['{"a": [1, 2]}', ' "],["', ' 3 '],
      result: '{"version": 1, "entries": [] }',
    })
  })

  it('cuts a million entries into steps that are small', () => {
    const entry = '{"actor":"spiffe://hospital.example/ns/billing/sa/agent"},\n'
    const file = `{"version":1,"entries":[${entry.repeat(1_000_000)}0]}`
    const { pieces } = cut(file)
    const sizes = pieces.map((piece) => piece.length)
    expect(sizes.reduce((sum, size) => sum + size + 1, 0)).to.be.within(59_000_000, file.length)
    expect(Math.max(...sizes)).to.be.at.most(maxStepBytes)
  })

  for (const { name, file, pieces } of [
    { name: 'no entries', file: '{"entries":[]}', pieces: [] },
    { name: 'blanks for entries', file: '{"entries":[ \n ]}', pieces: [] },
    { name: 'an array that is the file', file: '[[1,2]]', pieces: [] },
    { name: 'arrays further in', file: '{"a":{"b":[1,2]}}', pieces: [] },
    { name: 'two arrays', file: '{"a":[1],"b":[2]}', pieces: ['1', '2'] },
    { name: 'no JSON', file: ']}{[', pieces: [] },
  ]) {
    it(`takes ${name}`, () => expect(cut(file, 1).pieces).to.deep.equal(pieces))
  }

  for (const { name, file } of [
    { name: 'a comma after the last of several pieces', file: '{"entries":[1,2, ]}' },
    { name: 'two commas', file: '{"entries":[1, ,2]}' },
    { name: 'a text without end', file: `{"entries":[1,"${large}` },
    { name: 'an entry that is a long text', file: `{"entries":["${large}"]}` },
    { name: 'an entry of quotes', file: `{"entries":["${'\\"'.repeat(100_000)}"]}` },
    { name: 'an entry that is a long number', file: `{"entries":[${'1'.repeat(200_000)}]}` },
    { name: 'an entry of many', file: `{"entries":[[${'1,'.repeat(100_000)}1]]}` },
    { name: 'an entry that is deep', file: `{"entries":[${'['.repeat(100_000)}${']'.repeat(100_000)}]}` },
    { name: 'much white space between entries', file: `{"entries":[1,${' '.repeat(200_000)}2]}` },
    { name: 'much white space at the start', file: `${' '.repeat(200_000)}{"entries":[]}` },
    { name: 'much white space at the end', file: `{"entries":[]}${' '.repeat(200_000)}` },
    { name: 'another member that is long', file: `{"entries":[],"a":"${large}"}` },
    { name: 'a name that is long', file: `{"${large}":[]}` },
    { name: 'many arrays', file: `{${'"a":[],'.repeat(30_000)}"b":1}` },
    { name: 'a long array that is the file', file: `[${'1,'.repeat(100_000)}1]` },
  ]) {
    it(`refuses ${name}, in small steps`, () => {
      const { pieces, result } = cut(file, 1)
      expect(typeof result === 'object' && isInvalid(result)).to.equal(true)
      expect(pieces.every((piece) => piece.length <= maxStepBytes)).to.equal(true)
    })
  }

  it('names the entry that is too long', () => {
    expect(cut(`{"entries":[1,2,"${large}",4]}`).result)
      .to.have.property('reason')
      .that.contains('entry 3')
  })
})

function cut(file: string, pieceBytes?: number) {
  const pieces: string[] = []
  const steps = cutRevocations(Buffer.from(file), pieceBytes)
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return { pieces, result: value }
    pieces.push(value)
  }
}

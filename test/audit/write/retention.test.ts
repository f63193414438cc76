import { existsSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { RetentionLine } from '../../../src/audit/format/meta-line.ts'
import { type RetentionOptions, retire } from '../../../src/audit/write/retention.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const hourMs = 3_600_000
const nowMs = 1_800_000_000_000
/** From the oldest to the youngest: 100 bytes each, written 5, 4, … hours ago; the clock stood wrong when `b` began. */
const files = ['a-1-000000', 'a-1-000001', 'b-5-000000', 'b-5-000001', 'c-9-000000'].map(
  (name) => `${name}.ndjson`,
)
const noLimit: RetentionOptions = { ageMs: undefined, bytes: undefined }

const cases: readonly { name: string; input: Partial<RetentionOptions>; want: number }[] = [
  { name: 'keeps all without limits', input: {}, want: 0 },
  { name: 'removes what is too old', input: { ageMs: 3.5 * hourMs }, want: 2 },
  { name: 'removes the oldest of too much', input: { bytes: 250 }, want: 3 },
  { name: 'keeps what fits', input: { bytes: 500 }, want: 0 },
  { name: 'removes what either limit wants', input: { ageMs: 4.5 * hourMs, bytes: 300 }, want: 2 },
  { name: 'never removes the segment that is written to', input: { ageMs: 1, bytes: 1 }, want: 4 },
]

describe('audit/write/retention', () => {
  let directory: string
  beforeEach(() => {
    directory = temporaryDirectory()
    for (const [index, file] of files.entries()) {
      writeFileSync(join(directory, file), 'x'.repeat(100))
      const written = new Date(nowMs - (files.length - index) * hourMs)
      utimesSync(join(directory, file), written, written)
    }
    writeFileSync(join(directory, 'notes.txt'), 'x'.repeat(1000))
  })

  for (const { name, input, want } of cases) {
    it(name, () => {
      const current = join(directory, files.at(-1) ?? '')
      expect(said(current, input)?.removed ?? []).to.deep.equal(files.slice(0, want))
      expect(files.map((file) => existsSync(join(directory, file)))).to.deep.equal(
        files.map((_, at) => at >= want),
      )
    })
  }

  it('says up to where it removed', () => {
    expect(said(undefined, { bytes: 250 })?.through).to.deep.equal({ epochMs: 5, sequence: 0 })
  })

  it('never leaves a gap: what is old behind what is young stays', () => {
    const fresh = new Date(nowMs)
    utimesSync(join(directory, files[0] ?? ''), fresh, fresh)
    expect(said(undefined, { ageMs: hourMs })).to.equal(undefined)
  })

  it('says so before it is done', () => {
    const left: boolean[] = []
    retire(directory, undefined, { ...noLimit, bytes: 0 }, nowMs, ({ removed }) => {
      left.push(...removed.map((file) => existsSync(join(directory, file))))
    })
    expect(left).to.deep.equal(files.map(() => true))
  })

  function said(current: string | undefined, options: Partial<RetentionOptions>): RetentionLine | undefined {
    let meta: RetentionLine | undefined
    retire(directory, current, { ...noLimit, ...options }, nowMs, (each) => {
      meta = each
    })
    return meta
  }
})

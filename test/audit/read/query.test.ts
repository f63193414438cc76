import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { formatRecord } from '../../../src/audit/format/record.ts'
import { toRecord } from '../../../src/audit/format/to-record.ts'
import { findDecision, readRecords } from '../../../src/audit/read/query.ts'
import type { LogLine } from '../../../src/audit/read/record-reader.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { deniedParts } from '../../support/decision.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

describe('audit/read/query', () => {
  let directory: string
  beforeEach(() => {
    directory = temporaryDirectory()
  })

  const cases = [
    { name: 'reads whole lines', input: line('a') + line('b'), want: ['a', 'b'] },
    {
      name: 'reads a last line that lost only its newline',
      input: line('a') + line('b').trimEnd(),
      want: ['a', 'b'],
    },
    { name: 'counts a torn last line', input: line('a') + line('b').slice(0, 300), want: ['a', 'torn'] },
    {
      name: 'reports a torn line that was ended',
      input: `${line('a').slice(0, 300)}\n${line('b')}`,
      want: ['bad', 'b'],
    },
    { name: 'reports what is no record and reads on', input: `hello\n${line('a')}`, want: ['bad', 'a'] },
    {
      name: 'reports a version that it does not know',
      input: line('a').replace('"version":1', '"version":2'),
      want: ['bad'],
    },
    { name: 'passes over blank lines', input: `\n   \n${line('a')}\r\n`, want: ['a'] },
    { name: 'finds nothing in an empty file', input: '', want: [] },
    {
      name: 'splits at the newline alone',
      input: line('a').replace('two principals', 'two\u2028principals'),
      want: ['a'],
    },
  ]
  for (const { name, input, want } of cases) {
    it(name, async () => {
      const file = join(directory, 'a.ndjson')
      writeFileSync(file, input)
      expect((await all([file])).map(brief)).to.deep.equal(want)
    })
  }

  it('reads several directories and files, and passes over what is no segment', async () => {
    writeFileSync(join(directory, 'r-1-000001.ndjson'), line('b'))
    writeFileSync(join(directory, 'r-1-000000.ndjson'), line('a'))
    writeFileSync(join(directory, 'notes.txt'), 'hello\n')
    const other = join(temporaryDirectory(), 'other.log')
    writeFileSync(other, line('c'))
    expect((await all([directory, other])).map(brief)).to.deep.equal(['a', 'b', 'c'])
  })

  it('says where a line stands', async () => {
    const file = join(directory, 'a.ndjson')
    writeFileSync(file, `${line('a')}\nbad\n`)
    expect(await all([file])).to.deep.include({
      kind: 'bad',
      file,
      line: 3,
      reason: 'record: expected one JSON object',
    })
  })

  it('reports a path that cannot be read and reads the others', async () => {
    const file = join(directory, 'a.ndjson')
    writeFileSync(file, line('a'))
    expect((await all([join(directory, 'missing'), file])).map(brief)).to.deep.equal(['bad', 'a'])
  })

  it('joins lines that lie across many reads', async () => {
    const file = join(directory, 'a.ndjson')
    const want = Array.from({ length: 2000 }, (_, index) => `d-${index}`)
    for (const id of want) appendFileSync(file, line(id))
    expect((await all([file])).map(brief)).to.deep.equal(want)
  })

  it('reports a line without an end without collecting it', async () => {
    const file = join(directory, 'a.ndjson')
    writeFileSync(file, `${'x'.repeat(12 * 1024 * 1024)}\n${line('a')}`)
    expect((await all([file])).map(brief)).to.deep.equal(['bad', 'a'])
  })

  it('finds one decision among those that only mention it', async () => {
    writeFileSync(join(directory, 'a.ndjson'), line('decision-10') + line('decision-1'))
    const found = await findDecision([directory], 'decision-1')
    expect(!isInvalid(found) && found.record.decisionId).to.equal('decision-1')
  })

  it('says when no log has the decision, or its record cannot be read', async () => {
    writeFileSync(join(directory, 'a.ndjson'), line('a') + line('torn-1').slice(0, 300))
    for (const id of ['b', 'torn-1']) expect(isInvalid(await findDecision([directory], id))).to.equal(true)
  })

  it('names what it did not read where it found no record, and a torn line only then', async () => {
    const file = join(directory, 'a.ndjson')
    writeFileSync(file, `${line('a')}hello b\n${line('torn-1').slice(0, 300)}`)
    const found = await findDecision([directory], 'a')
    expect(isInvalid(found) ? found.reason : found.unread).to.deep.equal([])
    const missing = await findDecision([directory, join(directory, 'gone')], 'b')
    expect(isInvalid(missing) && missing.reason)
      .to.include(`${file}:2: `)
      .and.include('/gone`')
      .and.include(`${file}:3: `)
  })
})

function line(decisionId: string): string {
  return formatRecord(toRecord(deniedParts(decisionId)))
}

async function all(paths: readonly string[]): Promise<LogLine[]> {
  const found: LogLine[] = []
  for await (const each of readRecords(paths)) found.push(each)
  return found
}

function brief(each: LogLine): string {
  return each.kind === 'record' ? each.record.decisionId : each.kind
}

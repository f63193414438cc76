import { join } from 'node:path'
import { expect } from 'chai'
import { findWholeId } from '../../../src/audit/read/whole-id.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { run } from '../../support/terminal.ts'
import { decisionIds, writeLog } from '../../support/written-log.ts'

describe('audit/read/whole-id', () => {
  let one: string
  let other: string
  before(async () => {
    one = join(temporaryDirectory(), 'audit')
    other = join(temporaryDirectory(), 'audit')
    await writeLog(one, decisionIds(12, 'abcd'))
    await writeLog(other, decisionIds(1, 'abce'))
  })

  const rows: readonly { readonly name: string; readonly given: string; readonly want: string | RegExp }[] = [
    { name: 'one that only one id begins with', given: 'abcd-0011', want: 'abcd-0011' },
    { name: 'one of another log', given: 'abce', want: 'abce-0000' },
    {
      name: 'one that several begin with',
      given: 'abcd-001',
      want: /^`abcd-001` begins 2 ids, `abcd-0010`, `abcd-0011`: write more of it$/,
    },
    { name: 'one that many begin with', given: 'abcd', want: /begins 12 ids, .*`abcd-0004` and 7 more/ },
    { name: 'one that none begins with', given: 'abcf', want: 'abcf' },
    { name: 'too few letters', given: 'abc', want: 'abc' },
    { name: 'a word', given: 'abcd-zz', want: 'abcd-zz' },
    { name: 'the middle of an id', given: '0011', want: '0011' },
  ]
  for (const { name, given, want } of rows) {
    it(`completes ${name}`, async () => {
      const found = await findWholeId([one, other], given, undefined)
      if (typeof want === 'string') expect(found).to.equal(want)
      else expect(found).to.have.property('reason').that.matches(want)
    })
  }

  it('leaves an id as it is that is whole and begins another', async () => {
    const directory = join(temporaryDirectory(), 'audit')
    await writeLog(directory, ['abcd-1', 'abcd-12'])
    expect(await findWholeId([directory], 'abcd-1', undefined)).to.equal('abcd-1')
  })

  const commands: readonly (readonly [name: string, argv: (id: string) => readonly string[]])[] = [
    ['why', (id) => ['why', id, '--audit', one, '--audit', other]],
    ['policy explain', (id) => ['policy', 'explain', id, '--audit', one, '--audit', other]],
    ['audit show', (id) => ['audit', 'show', id, one, other]],
    ['audit prove', (id) => ['audit', 'prove', id, one, other]],
  ]
  for (const [name, argv] of commands) {
    it(`lets \`${name}\` refuse what begins several ids`, async () => {
      const { code, err } = await run(argv('abcd-001'))
      expect([code, err]).to.deep.equal([
        1,
        '`abcd-001` begins 2 ids, `abcd-0010`, `abcd-0011`: write more of it',
      ])
    })
    it(`lets \`${name}\` find what begins one`, async () => {
      const [short, whole] = [await run(argv('abce')), await run(argv('abce-0000'))]
      expect(short).to.deep.equal(whole)
      expect(`${short.out}${short.err}`).not.to.include('no record')
    })
  }
})

import { expect } from 'chai'
import {
  findUnread,
  isBookkeeping,
  purposeOf,
  refuseFolder,
} from '../../../src/policy/source/policy-names.ts'
import { namesThatAreRead, unreadNames, welcomeNames } from '../../support/file-names.ts'

describe('policy/source/policy-names', () => {
  for (const [what, paths] of Object.entries(unreadNames)) {
    for (const path of paths) {
      it(`refuses ${JSON.stringify(path)}: ${what}`, () => {
        const found = findUnread([...namesThatAreRead, path])
        expect(found).to.have.length(1)
        expect(found[0]?.message).to.match(/is not (?:read|run)|pins nothing|direction of writing/)
      })
    }
  }

  it('lets everything else lie there', () => {
    expect(findUnread([...namesThatAreRead, ...welcomeNames])).to.deep.equal([])
  })

  it('lets nothing lie there twice: each of a hundred is named', () => {
    const paths = Array.from({ length: 100 }, (_, index) => `team/${index}.cedar.bak`)
    expect(findUnread(paths).map(({ file }) => file)).to.deep.equal(paths)
  })

  it('shows a name that a terminal would not show', () => {
    const [found] = findUnread(['team/y\u001b[2K.cedar.bak', 'team/y.\u202eradec'])
    expect(found?.file).to.equal('"team/y\\u001b[2K.cedar.bak"')
    expect(findUnread(['team/y.\u202eradec'])[0]?.file).to.equal('"team/y.\\u202eradec"')
  })

  it('knows the files that version control and Kubernetes keep for themselves', () => {
    const rows: readonly (readonly [path: string, inMount: boolean, outside: boolean])[] = [
      ['.git/refs/heads/x.cedar', true, true],
      ['team/.git', true, true],
      ['.hg/x.cedar', true, true],
      ['..data/x.cedar', true, false],
      ['..2026_11_30_10_00_00.1/x.cedar', true, false],
      ['team/..data/x.cedar', false, false],
      ['.github/x.cedar', false, false],
      ['x.git/x.cedar', false, false],
    ]
    const found = rows.map(([path]) => [path, isBookkeeping(path, true), isBookkeeping(path, false)])
    expect(found).to.deep.equal(rows)
  })

  it('wants a file where a file is read', () => {
    for (const path of namesThatAreRead) expect(refuseFolder(path)?.file).to.equal(path)
    for (const path of ['team', 'tests', 'cedar', 'team/entities.json', 'x.cedar.d'])
      expect(refuseFolder(path)).to.equal(undefined)
  })

  it('reads nothing that it refuses', () => {
    const refused = Object.values(unreadNames).flat()
    const marked = refused.filter((path) => !path.includes('\u2066'))
    expect(marked.filter((path) => purposeOf(path) !== undefined && !/(?:^|\/)\./.test(path))).to.deep.equal(
      [],
    )
  })
})

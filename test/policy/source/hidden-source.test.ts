import { symlinkSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { listHidden } from '../../../src/policy/source/hidden-source.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

describe('policy/source/hidden-source', () => {
  let directory = ''
  beforeEach(async () => {
    directory = temporaryDirectory()
    for (const name of ['.a', '.b/x', '.b/c/y', '.b/.git/z', '.b/.d/w', '..data/v']) {
      await mkdir(dirname(join(directory, name)), { recursive: true })
      await writeFile(join(directory, name), '')
    }
  })

  const rows = [
    { path: '.a', isMount: false, want: ['.a'] },
    { path: '.b', isMount: false, want: ['.b/.d/w', '.b/c/y', '.b/x'] },
    { path: '..data', isMount: false, want: ['..data/v'] },
    { path: '..data', isMount: true, want: [] },
    { path: '.gone', isMount: false, want: [] },
  ]
  for (const { path, isMount, want } of rows) {
    it(`lists ${want.join(', ') || 'nothing'} for ${path}${isMount ? ' of a mount' : ''}`, async () => {
      expect(await listHidden(directory, path, isMount)).to.deep.equal(want)
    })
  }

  it('follows a link only in a mount, and only to what the mount holds', async () => {
    symlinkSync('.b', join(directory, '.link'))
    symlinkSync('/usr', join(directory, '.out'))
    symlinkSync('nowhere', join(directory, '.dangling'))
    expect(await listHidden(directory, '.link', false)).to.deep.equal(['.link'])
    expect(await listHidden(directory, '.link', true)).to.include('.link/x')
    expect(await listHidden(directory, '.out', true)).to.deep.equal(['.out'])
    expect(await listHidden(directory, '.dangling', true)).to.deep.equal(['.dangling'])
  })

  it('gives up on a folder that holds more than anybody keeps beside policies', async () => {
    const listed = await listHidden(directory, '.b', false, 2).catch((cause: unknown) => cause)
    expect(listed).to.be.instanceOf(Error)
  })

  it('never takes a folder that cannot be listed for an empty one', async () => {
    // A name that is too long fails for root, too.
    const listed = await listHidden(directory, `.${'x'.repeat(300)}`, false).catch((cause: unknown) => cause)
    expect(listed).to.have.property('code', 'ENAMETOOLONG')
  })
})

import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { explainFileError } from '../../../src/base/follow/file-error.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

describe('base/follow/file-error', () => {
  const table: readonly {
    readonly name: string
    readonly fail: (directory: string) => unknown
    readonly want: RegExp
  }[] = [
    {
      name: 'a file that is gone',
      fail: (directory) => readFileSync(join(directory, 'gone')),
      want: /^there is no such file or directory \(ENOENT\)$/,
    },
    {
      name: 'a directory for a file',
      fail: (directory) => readFileSync(directory),
      want: /^expected a file, found a directory \(EISDIR\)$/,
    },
    {
      name: 'a file for a directory',
      fail: (directory) => readdirSync(join(directory, 'file')),
      want: /^expected a directory, found a file on the way to it \(ENOTDIR\)$/,
    },
    {
      name: 'links in a circle',
      fail: (directory) => {
        symlinkSync('circle', join(directory, 'circle'))
        return readFileSync(join(directory, 'circle'))
      },
      want: /^its symbolic links lead in a circle \(ELOOP\)$/,
    },
    {
      // Root, as which tests may run, is never refused.
      name: 'a file that another user owns',
      fail: () => {
        throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
      },
      want: /^user \d+ may not read it \(owner \d+, group \d+, mode 0640\); change its owner or mode \(EACCES\)$/,
    },
    {
      name: 'anything else, with its cause',
      fail: () => {
        throw new Error('it failed', { cause: new Error('EIO: i/o error') })
      },
      want: /^it failed: EIO: i\/o error$/,
    },
  ]
  for (const { name, fail, want } of table) {
    it(`explains ${name}`, () => {
      const directory = temporaryDirectory()
      const file = join(directory, 'file')
      writeFileSync(file, 'x', { mode: 0o640 })
      expect(
        explainFileError(
          file,
          thrownBy(() => fail(directory)),
        ),
      ).to.match(want)
    })
  }
})

function thrownBy(fail: () => unknown): unknown {
  try {
    fail()
  } catch (cause) {
    return cause
  }
  throw new TypeError('nothing was thrown')
}

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { readBytes, readOptional } from '../../../src/base/follow/read-bytes.ts'
import { errnos, failCallsUnder } from '../../support/failing-calls.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

describe('base/follow/read-bytes', () => {
  let directory = ''
  const at = (name: string) => join(directory, name)
  beforeEach(() => {
    directory = temporaryDirectory()
    writeFileSync(at('file'), 'content')
    symlinkSync('nowhere', at('link'))
    mkdirSync(at('folder'))
  })

  it('reads a file up to a size', async () => {
    expect(String(await readBytes(at('file'), 7))).to.equal('content')
    expect(await readBytes(at('file'), 6)).to.deep.equal({ kind: 'too-large', bytes: 7 })
    expect(await readBytes(at('folder'), 7)).to.deep.equal({ kind: 'not-regular' })
  })

  it('takes only what the kernel does not know for absent', async () => {
    expect(await readOptional(at('absent'), 7)).to.equal(undefined)
    expect(await readOptional(at('file'), 7)).to.not.equal(undefined)
    expect(await readOptional(at('link'), 7).catch((cause: unknown) => cause)).to.have.property(
      'code',
      'ENOENT',
    )
    using failing = failCallsUnder(directory)
    for (const code of errnos)
      for (const place of [1, 2]) {
        failing.arm(place, code)
        expect(await readOptional(at('absent'), 7).catch((cause: unknown) => cause)).to.have.property(
          'code',
          code,
        )
      }
  })
})

import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { keepSet, readKept, refuseAge } from '../../../src/server/provider-keys/kept-set.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const of = { issuer: 'https://idp.hospital.example', source: 'https://idp.hospital.example/jwks' }
const nowMs = 1_790_000_000_000
const dayMs = 86_400_000
const set = { text: '{"keys":[]}', readAtMs: nowMs - 1000 }

describe('server/provider-keys/kept-set', () => {
  it('gives back what was kept, which its owner alone can read', async () => {
    const path = join(temporaryDirectory(), 'keys.json')
    await keepSet(path, set, of)
    expect((await stat(path)).mode & 0o777).to.equal(0o600)
    expect(await readKept(path, of, nowMs, dayMs)).to.deep.equal(set)
  })

  it('knows that nothing was kept', async () => {
    expect(await readKept(join(temporaryDirectory(), 'keys.json'), of, nowMs, dayMs)).to.equal(undefined)
  })

  const edits: readonly (readonly [string, (path: string) => Promise<unknown>, RegExp])[] = [
    ['a directory above it that is a file', async () => {}, /cannot be read/],
    ['that others can write', (path) => chmod(path, 0o620), /others/],
    [
      'that is cut off',
      async (path) => writeFile(path, (await readFile(path)).subarray(0, 40)),
      /expected a set/,
    ],
    ['of another format', (path) => writeFile(path, '{"version":2}'), /expected a set/],
    ['that is a plain JWK Set', (path) => writeFile(path, '{"keys":[]}'), /expected a set/],
  ]
  for (const [name, edit, reason] of edits) {
    it(`does not believe a file ${name}`, async () => {
      const path = join(temporaryDirectory(), 'keys.json')
      await keepSet(path, set, of)
      await edit(path)
      const read = name.startsWith('a directory') ? join(path, 'keys.json') : path
      expect(await readKept(read, of, nowMs, dayMs))
        .to.have.property('reason')
        .that.matches(reason)
    })
  }

  for (const other of [
    { ...of, issuer: 'https://elsewhere.example' },
    { ...of, source: 'https://elsewhere.example/jwks' },
  ]) {
    it(`does not believe a set of ${JSON.stringify(other)}`, async () => {
      const path = join(temporaryDirectory(), 'keys.json')
      await keepSet(path, set, other)
      expect(await readKept(path, of, nowMs, dayMs))
        .to.have.property('reason')
        .that.includes('elsewhere')
    })
  }

  it('believes no set that is too old, or of the future', () => {
    expect(refuseAge(nowMs - dayMs, nowMs, dayMs)).to.equal(undefined)
    expect(refuseAge(nowMs + 60_000, nowMs, dayMs)).to.equal(undefined)
    expect(refuseAge(nowMs - dayMs - 1, nowMs, dayMs))
      .to.have.property('reason')
      .that.includes('maxStaleness')
    expect(refuseAge(nowMs + 60_001, nowMs, dayMs))
      .to.have.property('reason')
      .that.includes('future')
  })

  it('throws what the kernel said, and leaves no draft', async () => {
    const directory = temporaryDirectory()
    const error = await keepSet(join(directory, 'nowhere/keys.json'), set, of).catch(
      (cause: unknown) => cause,
    )
    expect(error).to.have.property('code', 'ENOENT')
  })
})

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadKeys } from '../../../src/decision/chain/keys-source.ts'
import { good, problemsOf, readKey } from '../../support/forge.ts'

describe('decision/chain/keys-source', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'keys-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('loads the active key alone', async () => {
    await writeFile(join(directory, 'active.jwk.json'), readKey('chain'))
    expect(good(await loadKeys(directory)).verifying.keys.size).to.equal(1)
  })

  it('loads the next and the previous key too', async () => {
    await writeFile(join(directory, 'active.jwk.json'), readKey('chain'))
    await writeFile(join(directory, 'next.jwk.json'), readKey('chain-es256'))
    await writeFile(join(directory, 'previous.jwk.json'), readKey('stranger'))
    expect(good(await loadKeys(directory)).verifying.keys.size).to.equal(3)
  })

  it('reports a directory without keys', async () => {
    expect(problemsOf(await loadKeys(join(directory, 'absent')))).to.have.length(1)
  })

  it('reports a file that cannot be read', async () => {
    await mkdir(join(directory, 'active.jwk.json'))
    expect(problemsOf(await loadKeys(directory))).to.have.length(1)
  })
})

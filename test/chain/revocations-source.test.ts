import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { readRevocations } from '../../src/chain/revocations-source.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

describe('chain/revocations-source', () => {
  it('reads a file', async () => {
    const path = join(temporaryDirectory(), 'revocations.json')
    await writeFile(path, '{"version":1,"entries":[{"txn":"one"}]}')
    const revocations = await readRevocations(path)
    expect('txn' in revocations && [...revocations.txn.keys()]).to.deep.equal(['one'])
  })

  it('names the file that is broken, or not there', async () => {
    const path = join(temporaryDirectory(), 'revocations.json')
    expect(await readRevocations(path))
      .to.have.nested.property('[0].reason')
      .that.contains(path)
    await writeFile(path, '{"version":1,"entries":[')
    expect(await readRevocations(path))
      .to.have.nested.property('[0].reason')
      .that.contains(path)
  })
})

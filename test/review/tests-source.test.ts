import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { readTestFiles } from '../../src/review/tests-source.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

describe('review/tests-source', () => {
  it('reads every YAML file below tests/, and nothing else', async () => {
    const directory = temporaryDirectory()
    await mkdir(join(directory, 'tests/records'), { recursive: true })
    for (const name of ['b.yaml', 'records/a.yml', 'notes.txt']) {
      await writeFile(join(directory, 'tests', name), name)
    }
    const files = await readTestFiles(directory)
    expect('get' in files ? [...files] : files).to.deep.equal([
      ['tests/b.yaml', 'b.yaml'],
      ['tests/records/a.yml', 'records/a.yml'],
    ])
  })

  it('finds none where there is no such folder, and says when there is something else', async () => {
    const directory = temporaryDirectory()
    expect(await readTestFiles(directory)).to.have.property('size', 0)
    await writeFile(join(directory, 'tests'), '')
    expect(await readTestFiles(directory)).to.have.length(1)
  })
})

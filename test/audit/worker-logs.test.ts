import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { logsOf, workerLog } from '../../src/audit/worker-logs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

describe('audit/worker-logs', () => {
  for (const { name, files, folders, want } of [
    { name: 'a directory itself', files: ['a-1-000000.ndjson'], folders: ['revisions'], want: ['.'] },
    { name: 'an empty directory', files: [], folders: [], want: ['.'] },
    {
      name: 'those of its workers, by number',
      files: ['log-key'],
      folders: ['worker-10', 'worker-2', 'worker-x', 'revisions'],
      want: ['worker-2', 'worker-10'],
    },
    {
      name: 'its own before theirs, when it was written by one process before',
      files: ['a-1-000000.ndjson'],
      folders: ['worker-1'],
      want: ['.', 'worker-1'],
    },
  ]) {
    it(`finds ${name}`, async () => {
      const directory = temporaryDirectory()
      for (const folder of folders) await mkdir(join(directory, folder))
      for (const file of files) await writeFile(join(directory, file), '')
      expect(await logsOf(directory)).to.deep.equal(want.map((path) => join(directory, path)))
    })
  }

  it('leaves files and standard input as they are', async () => {
    const file = join(temporaryDirectory(), 'segment.ndjson')
    await writeFile(file, '')
    expect(await logsOf(file)).to.deep.equal([file])
    expect(await logsOf('-')).to.deep.equal(['-'])
  })

  it('names a worker by its number', () => expect(workerLog('/audit', 2)).to.equal('/audit/worker-2'))
})

import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { followFiles } from '../../src/app/followed-files.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const hourMs = 3_600_000

/** Follows one file that must begin with `good`, and notes what is told. */
async function follow(path: string) {
  const told: string[] = []
  const files = await followFiles<{ readonly text: string }>({
    paths: [path],
    pollMs: hourMs,
    async read() {
      const text = await readFile(path, 'utf8').catch(() => 'unreadable')
      return text.startsWith('good') ? { text } : { kind: 'refusal', problems: [text] }
    },
    onRead: ({ text }) => told.push(text),
    onRefused: (problems) => told.push(`refused ${problems.join()}`),
  })
  return { files, told }
}

describe('app/followed-files', () => {
  let directory = ''
  let path = ''
  beforeEach(() => {
    directory = temporaryDirectory()
    path = join(directory, 'file')
  })

  it('follows a file', async () => {
    await writeFile(path, 'good 1')
    const { files, told } = await follow(path)
    await writeFile(path, 'good 2')
    await files.refresh()
    expect(files.current).to.deep.equal({ text: 'good 2' })
    expect(told).to.deep.equal(['good 1', 'good 2'])
    await files[Symbol.asyncDispose]()
  })

  it('follows the symbolic link that Kubernetes swaps', async () => {
    for (const version of ['1', '2']) {
      await mkdir(join(directory, version))
      await writeFile(join(directory, version, 'file'), `good ${version}`)
    }
    await symlink('1', join(directory, '..data'))
    await symlink('..data/file', path)
    const { files } = await follow(path)
    await symlink('2', join(directory, '..data_tmp'))
    await rename(join(directory, '..data_tmp'), join(directory, '..data'))
    await files.refresh()
    expect(files.current).to.deep.equal({ text: 'good 2' })
    await files[Symbol.asyncDispose]()
  })

  it('keeps what was last good, says so once, and takes the next good one', async () => {
    await writeFile(path, 'good 1')
    const { files, told } = await follow(path)
    await writeFile(path, 'bad')
    await files.refresh()
    await files.refresh()
    await rm(path)
    await files.refresh()
    await files.refresh()
    expect(files.current).to.deep.equal({ text: 'good 1' })
    expect(files.problems).to.deep.equal(['unreadable'])
    await writeFile(path, 'good 3')
    await files.refresh()
    expect(files.problems).to.deep.equal([])
    expect(told).to.deep.equal(['good 1', 'refused bad', 'refused unreadable', 'good 3'])
    await files[Symbol.asyncDispose]()
  })

  it('does not begin with a file that is not good', async () => {
    const error = await follow(path).catch((cause: unknown) => cause)
    expect(error).to.have.property('code', 'start_failed')
    expect(error).to.have.property('problems').that.deep.equals(['unreadable'])
  })
})

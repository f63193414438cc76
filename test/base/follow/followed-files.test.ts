import { execFileSync } from 'node:child_process'
import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { followFiles } from '../../../src/base/follow/followed-files.ts'
import { isProblems } from '../../../src/base/model/problems.ts'
import { StartError } from '../../../src/server/start-context.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const hourMs = 3_600_000

/** Follows one file that must begin with `good`, and notes what is told. */
async function follow(path: string) {
  const told: string[] = []
  const opened = await followFiles<{ readonly text: string }>({
    paths: [path],
    pollMs: hourMs,
    parse(contents) {
      const text = contents.get(path)?.toString() ?? 'absent'
      return text.startsWith('good') ? { text } : { kind: 'problems', problems: [text] }
    },
    onRead: ({ text }) => told.push(text),
    onNews: (news) => told.push(news.kind === 'refused' ? `refused ${news.problems.join()}` : news.kind),
  })
  if (isProblems(opened)) throw new StartError(opened.problems)
  return { files: opened.files, told }
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
    await files.poller.refresh()
    expect(files.current).to.deep.equal({ text: 'good 2' })
    expect(told).to.deep.equal(['good 1', 'good 2'])
    await files[Symbol.asyncDispose]()
  })

  it('has the old value in force while a new one is parsed in turns, at start and later', async () => {
    await writeFile(path, 'good 1')
    let isParsed = Promise.resolve()
    let tellBegun = () => {}
    const opened = await followFiles<{ readonly text: string }>({
      paths: [path],
      pollMs: hourMs,
      async parse(contents) {
        tellBegun()
        await isParsed
        const text = String(contents.get(path))
        return text.startsWith('good') ? { text } : { kind: 'problems', problems: [text] }
      },
      onRead: () => {},
      onNews: () => {},
    })
    if (isProblems(opened)) throw new StartError(opened.problems)
    const { files } = opened
    expect(files.current).to.deep.equal({ text: 'good 1' })
    let tellParsed = () => {}
    isParsed = new Promise((resolve) => {
      tellParsed = resolve
    })
    const isBegun = new Promise<void>((resolve) => {
      tellBegun = resolve
    })
    await writeFile(path, 'good 2')
    const refreshed = files.poller.refresh()
    await isBegun
    expect(files.current).to.deep.equal({ text: 'good 1' })
    tellParsed()
    await refreshed
    expect(files.current).to.deep.equal({ text: 'good 2' })
    await writeFile(path, 'bad')
    await files.poller.refresh()
    expect(files.poller.problems).to.deep.equal(['bad'])
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
    await files.poller.refresh()
    expect(files.current).to.deep.equal({ text: 'good 2' })
    await files[Symbol.asyncDispose]()
  })

  it('keeps what was last good, says so once, and takes the next good one', async () => {
    await writeFile(path, 'good 1')
    const { files, told } = await follow(path)
    await writeFile(path, 'bad')
    await files.poller.refresh()
    await files.poller.refresh()
    expect(files.current).to.deep.equal({ text: 'good 1' })
    expect(files.poller.problems).to.deep.equal(['bad'])
    await writeFile(path, 'good 3')
    await files.poller.refresh()
    expect(files.poller.problems).to.deep.equal([])
    expect(told).to.deep.equal(['good 1', 'refused bad', 'good 3'])
    await files[Symbol.asyncDispose]()
  })

  it('takes up a change that leaves size, inode and time stamps as they were', async () => {
    const moment = new Date('2026-01-01')
    await writeFile(path, 'good 1')
    await utimes(path, moment, moment)
    const { files } = await follow(path)
    await writeFile(path, 'good 2')
    await utimes(path, moment, moment)
    await files.poller.refresh()
    expect(files.current).to.deep.equal({ text: 'good 2' })
    await files[Symbol.asyncDispose]()
  })

  it('takes a file that is gone, or a link to nowhere, for a fault that passes', async () => {
    await writeFile(path, 'good 1')
    const { files, told } = await follow(path)
    await rm(path)
    await files.poller.refresh()
    await symlink('nowhere', path)
    await files.poller.refresh()
    expect(files.current).to.deep.equal({ text: 'good 1' })
    expect(files.poller.standing.map(({ kind }) => kind)).to.deep.equal(['failed'])
    await writeFile(join(directory, 'nowhere'), 'good 1')
    await files.poller.refresh()
    expect(files.poller.problems).to.deep.equal([])
    expect(told).to.deep.equal(['good 1', 'failed', 'failed', 'recovered'])
    await files[Symbol.asyncDispose]()
  })

  it('tells again of a change that could not be taken up when it was told', async () => {
    await writeFile(path, 'good 1')
    let isDeaf = false
    const opened = await followFiles<{ readonly text: string }>({
      paths: [path],
      pollMs: hourMs,
      parse: (contents) => ({ text: String(contents.get(path)) }),
      onRead() {
        if (isDeaf) throw new RangeError('deaf')
      },
      onNews: () => {},
    })
    if (isProblems(opened)) throw new StartError(opened.problems)
    const { files } = opened
    await writeFile(path, 'good 2')
    isDeaf = true
    for (let look = 0; look < 2; look++) {
      await files.poller.refresh()
      expect(files.poller.problems).to.deep.equal(['deaf'])
    }
    isDeaf = false
    await files.poller.refresh()
    expect(files.poller.problems).to.deep.equal([])
    await files[Symbol.asyncDispose]()
  })

  it('does not wait for the writer of a named pipe', async () => {
    await writeFile(path, 'good 1')
    const { files } = await follow(path)
    await rm(path)
    execFileSync('mkfifo', [path])
    await files.poller.refresh()
    expect(files.poller.problems.join()).to.contain('expected a regular file')
    await files[Symbol.asyncDispose]()
  })

  it('does not begin with a file that is not good, or not there', async () => {
    await writeFile(path, 'bad')
    for (const begin of [path, join(directory, 'absent')])
      expect(await follow(begin).catch((cause: unknown) => cause)).to.have.property('code', 'start_failed')
  })
})

import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Event } from '../../src/model/event.ts'
import { openRevisionSource } from '../../src/revision/revision-source.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

async function open(directory: string, keep: () => Promise<void> = async () => {}) {
  const events: Event[] = []
  const source = await openRevisionSource({
    directory,
    load: {},
    pollMs: 3_600_000,
    keep,
    onServed: () => {},
    report: (event) => events.push(event),
  })
  return { source, kinds: () => events.map(({ kind }) => kind) }
}

describe('revision/revision-source', () => {
  let directory = ''
  const policy = () => join(directory, 'records-team/patient-records.cedar')
  beforeEach(async () => {
    directory = temporaryDirectory()
    await cp('policies', directory, { recursive: true })
  })

  it('serves a directory, and what it becomes', async () => {
    const { source, kinds } = await open(directory)
    const first = source.current?.id
    await rm(policy())
    await source.refresh()
    expect(source.current?.id).to.be.a('string').and.not.equal(first)
    expect(kinds()).to.deep.equal(['revision_served', 'revision_served'])
    await source[Symbol.asyncDispose]()
  })

  it('serves the last good revision on while the directory is broken, and says so once', async () => {
    const { source, kinds } = await open(directory)
    const first = source.current?.id
    await writeFile(policy(), 'permit (')
    await source.refresh()
    await source.refresh()
    expect(source.current?.id).to.equal(first)
    expect(source.problems).to.have.length(1)
    expect(kinds()).to.deep.equal(['revision_served', 'revision_refused'])
    await source[Symbol.asyncDispose]()
  })

  it('serves nothing from a directory that never loaded, until it does', async () => {
    await writeFile(policy(), 'permit (')
    const { source } = await open(directory)
    expect(source.current).to.equal(undefined)
    await cp('policies', directory, { recursive: true })
    await source.refresh()
    expect(source.current).to.have.property('id')
    expect(source.problems).to.deep.equal([])
    await source[Symbol.asyncDispose]()
  })

  it('serves again what was good before, when a broken change is taken back', async () => {
    const { source } = await open(directory)
    const first = source.current?.id
    await writeFile(policy(), 'permit (')
    await source.refresh()
    await cp('policies', directory, { recursive: true })
    await source.refresh()
    expect(source.problems).to.deep.equal([])
    expect(source.current?.id).to.equal(first)
    await source[Symbol.asyncDispose]()
  })

  it('does not serve what cannot be kept for judging again, and tries anew', async () => {
    let isFull = true
    const { source } = await open(directory, () =>
      isFull ? Promise.reject(new RangeError('full')) : Promise.resolve(),
    )
    expect(source.current).to.equal(undefined)
    isFull = false
    await source.refresh()
    expect(source.current).to.have.property('id')
    await source[Symbol.asyncDispose]()
  })
})

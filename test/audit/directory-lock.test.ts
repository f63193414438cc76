import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { lockDirectory } from '../../src/audit/directory-lock.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

describe('audit/directory-lock', () => {
  let directory: string
  beforeEach(() => {
    directory = temporaryDirectory()
  })

  it('lets one in at a time', () => {
    const lock = lockDirectory(directory, Date.now())
    expectTaken()
    lock[Symbol.dispose]()
    expect(readdirSync(directory)).to.deep.equal([])
    lockDirectory(directory, Date.now())[Symbol.dispose]()
  })

  it('takes over from a process that is gone, whoever has its number by now', () => {
    const space = ownSpace()
    writeHolder(1, { host: hostname(), space, pid: process.pid, started: '1' })
    const lock = lockDirectory(directory, Date.now())
    expect(readdirSync(directory)).to.deep.equal(['lock.2'])
    lock[Symbol.dispose]()
  })

  it('takes over from the container that ours replaced', () => {
    writeHolder(4, { host: hostname(), space: 'pid:[1]', pid: process.pid, started: '1' })
    const lock = lockDirectory(directory, Date.now())
    expect(readdirSync(directory)).to.deep.equal(['lock.5'])
    lock[Symbol.dispose]()
  })

  it('waits until another host has not been heard of for a while', () => {
    writeHolder(1, { host: 'elsewhere', space: '', pid: 1, started: '1' })
    expectTaken()
    const past = new Date(Date.now() - 60_000)
    utimesSync(join(directory, 'lock.1'), past, past)
    const lock = lockDirectory(directory, Date.now())
    lock.refresh()
    expectTaken()
    lock[Symbol.dispose]()
  })

  it('counts a lock that has no content yet as held', () => {
    writeFileSync(join(directory, 'lock.1'), '')
    expectTaken()
  })

  function expectTaken(): void {
    expect(() => lockDirectory(directory, Date.now()))
      .to.throw()
      .with.property('code', 'directory_taken')
  }

  function writeHolder(number: number, holder: object): void {
    writeFileSync(join(directory, `lock.${number}`), JSON.stringify(holder))
  }

  function ownSpace(): string {
    const lock = lockDirectory(directory, Date.now())
    const { space } = JSON.parse(readFileSync(join(directory, 'lock.1'), 'utf8'))
    lock[Symbol.dispose]()
    return space
  }
})

import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { lockDirectory } from '../../../src/audit/write/directory-lock.ts'
import { errnos, failSyncCalls } from '../../support/failing-calls.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

describe('audit/write/directory-lock', () => {
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

  it('takes over from a process that is gone, although another has its number by now', () => {
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

  const probes: readonly { readonly name: string; readonly call: RegExp }[] = [
    { name: 'the lock', call: /readFileSync .*lock\.1$/ },
    { name: 'the process of its holder', call: /readFileSync \/proc\/\d+\/stat$/ },
    { name: 'our own process space', call: /readlinkSync \/proc\/self/ },
    { name: 'the directory', call: /readdirSync/ },
  ]
  for (const { name, call } of probes) {
    it(`takes nothing from a holder that lives because ${name} cannot be read`, () => {
      const lock = lockDirectory(directory, Date.now())
      for (const code of errnos.filter((each) => each !== 'EACCES')) {
        {
          using _failing = failSyncCalls(code, call)
          expect(() => lockDirectory(directory, Date.now()), code).to.throw()
        }
        expect(readdirSync(directory)).to.deep.equal(['lock.1'])
      }
      lock[Symbol.dispose]()
    })
  }

  it('goes by the age of a lock when the kernel hides its holder', () => {
    const lock = lockDirectory(directory, Date.now())
    using _failing = failSyncCalls('EACCES', /\/proc\//)
    expectTaken()
    const past = new Date(Date.now() - 60_000)
    utimesSync(join(directory, 'lock.1'), past, past)
    lockDirectory(directory, Date.now())[Symbol.dispose]()
    lock[Symbol.dispose]()
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

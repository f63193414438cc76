import { expect } from 'chai'
import type { Line } from '../../../src/audit/log/segment.ts'
import { GroupCommit } from '../../../src/audit/write/group-commit.ts'

const line = Buffer.from('line')

describe('audit/write/group-commit', () => {
  it('makes all that wait durable by one sync, and those that come meanwhile by the next', async () => {
    const disk = slowDisk()
    const commit = new GroupCommit({ ...disk.options, maxWaiting: 10 })
    const first = Promise.all([commit.wait(line), commit.wait(line), commit.wait(line)])
    await disk.asked(1)
    const second = commit.wait(line)
    disk.finish()
    await first
    await disk.asked(2)
    disk.finish()
    await second
    expect(disk.syncs()).to.equal(2)
  })

  it('answers nobody before the sync has ended', async () => {
    const disk = slowDisk()
    const commit = new GroupCommit({ ...disk.options, maxWaiting: 10 })
    let isDone = false
    const waiting = commit.wait(line).then(() => {
      isDone = true
    })
    await disk.asked(1)
    expect(isDone).to.equal(false)
    disk.finish()
    await waiting
    expect(isDone).to.equal(true)
  })

  it('writes again what a failed sync may have lost, those that came meanwhile included', async () => {
    const disk = slowDisk()
    const commit = new GroupCommit({ ...disk.options, maxWaiting: 10 })
    const all = [commit.wait(Buffer.from('a'))]
    await disk.asked(1)
    all.push(commit.wait(Buffer.from('b')))
    disk.finish(new Error('EIO'))
    await disk.asked(2)
    disk.finish()
    await disk.asked(3)
    disk.finish()
    await Promise.all(all)
    expect(disk.rewritten.map(String)).to.deep.equal(['a', 'b'])
  })

  it('refuses all of a batch that cannot be made durable, and tries anew with the next', async () => {
    const disk = slowDisk()
    const commit = new GroupCommit({ ...disk.options, maxWaiting: 10 })
    const lost = commit.wait(line).catch(({ message }: Error) => message)
    await disk.asked(1)
    disk.finish(new Error('EIO'))
    await disk.asked(2)
    disk.finish(new Error('again'))
    expect(await lost).to.equal('again')
    const next = commit.wait(line)
    await disk.asked(3)
    disk.finish()
    await disk.asked(4)
    disk.finish()
    await next
  })

  it('refuses more than may wait', async () => {
    const disk = slowDisk()
    const commit = new GroupCommit({ ...disk.options, maxWaiting: 2 })
    const kept = [commit.wait(line), commit.wait(line)]
    expect(await commit.wait(line).catch((cause: unknown) => cause)).to.be.instanceOf(RangeError)
    await disk.asked(1)
    disk.finish()
    await Promise.all(kept)
  })
})

/** A disk whose every sync ends when the test says so. */
function slowDisk() {
  const rewritten: Line[] = []
  const syncs: { resolve: () => void; reject: (cause: Error) => void }[] = []
  let onAsked = (): void => {}
  return {
    rewritten,
    syncs: () => syncs.length,
    options: {
      fd: () => 3,
      sync: () =>
        new Promise<void>((resolve, reject) => {
          syncs.push({ resolve, reject })
          onAsked()
        }),
      rewrite: (lines: readonly Line[]) => void rewritten.push(...lines),
    },
    asked: (count: number) =>
      new Promise<void>((resolve) => {
        onAsked = () => {
          if (syncs.length >= count) resolve()
        }
        onAsked()
      }),
    finish: (cause?: Error) => (cause === undefined ? syncs.at(-1)?.resolve() : syncs.at(-1)?.reject(cause)),
  }
}

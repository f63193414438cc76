import { readdirSync, readFileSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { WriteBytes } from '../../../src/audit/log/segment.ts'
import type { AuditLog } from '../../../src/audit/write/audit-log.ts'
import type { AuditLogOptions } from '../../../src/audit/write/audit-log-options.ts'
import { openAuditLog } from '../../../src/audit/write/open-audit-log.ts'
import { deniedParts } from '../../support/decision.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { decisionsIn, flawsIn, segmentsOf } from '../../support/written-log.ts'

const kibibyte = 1024

describe('audit/write/audit-log, when the disk does not do as it should', () => {
  let directory: string
  beforeEach(() => {
    directory = join(temporaryDirectory(), 'audit')
  })

  it('records the denials of a full disk from its reserve, allows nothing, and recovers by itself', async () => {
    const disk = smallDisk(() => directory)
    let faults = 0
    await using log = open({ write: disk.write, reserveBytes: 128 * kibibyte, report: () => faults++ })
    await allow(log, 'a-1')
    disk.fill()
    expect(await outcome(() => allow(log, 'a-2'))).to.equal('audit_unavailable')
    for (let index = 0; index < 20; index++) {
      await deny(log, `d-${index}`)
      expect(await outcome(() => allow(log, 'a-3'))).to.equal('audit_unavailable')
    }
    expect(faults).to.equal(1)
    expect(log.isAvailable()).to.equal(false)
    disk.clear()
    expect(log.isAvailable()).to.equal(true)
    await allow(log, 'a-4')
    expect(await decisionsIn(directory)).to.deep.equal([
      'a-1',
      ...Array.from({ length: 20 }, (_, index) => `d-${index}`),
      'a-4',
    ])
    expect(await flawsIn(directory)).to.deep.equal([])
  })

  it('says how many denials it could not record when even the reserve was used up', async () => {
    const disk = smallDisk(() => directory)
    await using log = open({ write: disk.write, reserveBytes: 64 * kibibyte })
    disk.fill()
    let lost = 0
    for (let index = 0; index < 60; index++) {
      if ((await outcome(() => deny(log, `d-${index}`))) !== undefined) lost++
    }
    expect(lost).to.be.within(1, 59)
    disk.clear()
    await deny(log, 'after')
    expect(/"kind":"unrecorded".*"denials":(\d+)/.exec(textIn(directory))?.[1]).to.equal(String(lost))
    expect((await decisionsIn(directory)).length).to.equal(61 - lost)
    expect(await flawsIn(directory)).to.deep.equal([])
  })

  it('answers in `durable` only when the record is on the disk', async () => {
    const pending: (() => void)[] = []
    const sync = () => new Promise<void>((resolve) => void pending.push(resolve))
    const log = open({ mode: 'durable', sync })
    const order: string[] = []
    const kept = Promise.resolve(allow(log, 'a-1')).then(() => order.push('answered'))
    expect(await decisionsIn(directory)).to.deep.equal(['a-1'])
    order.push('synced')
    await settle(pending)
    await kept
    expect(order).to.deep.equal(['synced', 'answered'])
    await log[Symbol.asyncDispose]()
  })

  it('loses nothing that it acknowledged when a sync fails: the records are written again elsewhere', async () => {
    let failures = 1
    const log = open({
      mode: 'durable',
      sync: async () => {
        if (failures-- > 0) throw Object.assign(new Error('the page is lost'), { code: 'EIO' })
      },
    })
    await Promise.all([allow(log, 'a-1'), deny(log, 'd-2')])
    await log[Symbol.asyncDispose]()
    const [, second = ''] = segmentsOf(directory)
    for (const id of ['a-1', 'd-2']) expect(readFileSync(second, 'utf8')).to.include(`"${id}"`)
    expect(await flawsIn(directory)).to.deep.equal([])
  })

  it('refuses in `durable` while no sync succeeds, reports it once, and recovers by itself', async () => {
    let isFailing = true
    let faults = 0
    const log = open({
      mode: 'durable',
      report: () => faults++,
      sync: async () => {
        if (isFailing) throw Object.assign(new Error('the disk failed'), { code: 'EIO' })
      },
    })
    for (const id of ['a-1', 'a-2']) expect(await outcome(() => allow(log, id))).to.equal('audit_unavailable')
    expect(faults).to.equal(1)
    expect(await outcome(() => deny(log, 'd-3'))).to.equal(undefined)
    expect(segmentsOf(directory).length).to.be.at.most(3)
    isFailing = false
    while (!log.isAvailable()) await new Promise(setImmediate)
    expect(await outcome(() => allow(log, 'a-4'))).to.equal(undefined)
    expect(new Set(await decisionsIn(directory))).to.deep.equal(new Set(['a-1', 'd-3', 'a-4']))
    await log[Symbol.asyncDispose]()
  })

  it('rotates in `durable` without losing what waits', async () => {
    const log = open({ mode: 'durable', maxSegmentBytes: 6000 })
    const wanted = Array.from({ length: 40 }, (_, index) => `d-${index}`)
    await Promise.all(wanted.map((id) => deny(log, id)))
    await log[Symbol.asyncDispose]()
    expect(await decisionsIn(directory)).to.deep.equal(wanted)
    expect(await flawsIn(directory)).to.deep.equal([])
  })

  it('answers in `buffered` at once, and writes when much has gathered or at its end', async () => {
    const log = open({ mode: 'buffered' })
    // In one turn of the event loop, so that no timer writes meanwhile.
    const denials = [deny(log, 'd-0')]
    expect(textIn(directory)).to.not.include('"d-0"')
    for (let index = 1; index < 100; index++) denials.push(deny(log, `d-${index}`))
    expect(textIn(directory)).to.include('"d-20"').and.not.include('"d-99"')
    await Promise.all(denials)
    await log[Symbol.asyncDispose]()
    expect(await decisionsIn(directory)).to.have.length(100)
    expect(await flawsIn(directory)).to.deep.equal([])
  })

  it('allows nothing in `buffered` once what was buffered cannot be written', async () => {
    const disk = smallDisk(() => directory)
    const log = open({ mode: 'buffered', write: disk.write })
    await allow(log, 'a-1')
    disk.fill()
    for (let index = 0; index < 40; index++) await deny(log, `d-${index}`)
    expect(await outcome(() => allow(log, 'a-2'))).to.equal('audit_unavailable')
    disk.clear()
    expect(log.isAvailable()).to.equal(true)
    await log[Symbol.asyncDispose]()
    expect(await decisionsIn(directory)).to.have.length(41)
  })

  it('starts on a full disk with what the process before has kept for it', async () => {
    const disk = smallDisk(() => directory)
    await open({ reserveBytes: 128 * kibibyte })[Symbol.asyncDispose]()
    disk.fill()
    await using log = open({ write: disk.write, reserveBytes: 128 * kibibyte })
    expect(await outcome(() => allow(log, 'a-1'))).to.equal('audit_unavailable')
    await deny(log, 'd-1')
    disk.clear()
    expect(log.isAvailable()).to.equal(true)
    expect(await decisionsIn(directory)).to.deep.equal(['d-1'])
    expect(await flawsIn(directory)).to.deep.equal([])
  })

  function open(options: Partial<AuditLogOptions> = {}): AuditLog {
    return openAuditLog({
      directory,
      mode: 'written',
      stdout: false,
      origin: 'replica',
      report: () => {},
      reserveBytes: 64 * kibibyte,
      ...options,
    })
  }
})

function allow(log: AuditLog, decisionId: string): void | Promise<void> {
  return log.append({ ...deniedParts(decisionId), decision: { kind: 'allow', results: [] } })
}

function deny(log: AuditLog, decisionId: string): void | Promise<void> {
  return log.append(deniedParts(decisionId))
}

async function outcome(act: () => void | Promise<void>): Promise<string | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

/** All that the log has written. */
function textIn(directory: string): string {
  return segmentsOf(directory)
    .map((file) => readFileSync(file, 'utf8'))
    .join('')
}

async function settle(pending: (() => void)[]): Promise<void> {
  while (pending.length === 0) await new Promise(setImmediate)
  for (const resolve of pending.splice(0)) resolve()
}

/** A disk with room for what it holds when it is filled, and no more: what the reserve gives up can be used, and nothing else. */
function smallDisk(directory: () => string): { write: WriteBytes; fill: () => void; clear: () => void } {
  let capacity = Number.POSITIVE_INFINITY
  const used = (): number =>
    readdirSync(directory()).reduce((sum, name) => sum + statSync(join(directory(), name)).size, 0)
  return {
    write: (fd, bytes, offset, length) => {
      const room = capacity - used()
      if (room <= 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
      return writeSync(fd, bytes, offset, Math.min(room, length))
    },
    fill: () => {
      capacity = used()
    },
    clear: () => {
      capacity = Number.POSITIVE_INFINITY
    },
  }
}

import { copyFileSync, cpSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect } from 'chai'
import { formatBeside } from '../../../src/audit/log/worker-logs.ts'
import { verifyLogs } from '../../../src/audit/verify/verify.ts'
import type { AuditLog } from '../../../src/audit/write/audit-log.ts'
import type { AuditLogOptions } from '../../../src/audit/write/audit-log-options.ts'
import { openAuditLog } from '../../../src/audit/write/open-audit-log.ts'
import {
  at,
  believedIn,
  complaintsOf,
  copyOf,
  writeThreeLogs,
  writeWorkerLogs,
} from '../../support/attacked-logs.ts'
import { deniedParts } from '../../support/decision.ts'
import { filesOf, names } from '../../support/forged-logs.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { decisionIds, publicKeyOf, segmentsOf, writeLog } from '../../support/written-log.ts'

describe('audit/verify/verify, of logs that belong together', function () {
  this.timeout(60_000)
  let home: string
  let one: string
  let other: string
  beforeEach(() => {
    home = temporaryDirectory()
    one = join(home, 'replica-0')
    other = join(home, 'replica-1')
  })
  /** Two replicas have one key, as when `audit.key` names it. */
  const shared = () => ({ key: join(one, 'log-key') })

  it('notices that two logs went on from one, on an old copy and on the newer', async () => {
    await writeLog(one, decisionIds(3, 'a'), at(0))
    cpSync(one, other, { recursive: true })
    await writeLog(one, decisionIds(3, 'b'), at(1))
    await writeLog(other, decisionIds(3, 'c'), at(2))
    expect(await complaintsOf([one])).to.deep.equal([])
    expect(await complaintsOf([other])).to.deep.equal([])
    for (const file of filesOf(other, 'replica-1790007200000')) copyFileSync(file, join(one, basename(file)))
    expect((await complaintsOf([one])).join()).to.match(
      /is followed by two logs, `replica-1790003600000` and/,
    )
  })

  it('takes logs of several replicas in one folder, with the keys of all', async () => {
    await writeLog(one, decisionIds(3, 'a'), { ...at(0), origin: 'one' })
    await writeLog(one, decisionIds(3, 'b'), { ...at(1), origin: 'one' })
    await writeLog(other, decisionIds(3, 'c'), { ...at(1), origin: 'other' })
    const archive = join(home, 'archive')
    mkdirSync(archive)
    for (const file of [...segmentsOf(one), ...segmentsOf(other)])
      copyFileSync(file, join(archive, basename(file)))
    const keys = [publicKeyOf(one), publicKeyOf(other)]
    const { logs, problems } = await verifyLogs([archive], { keys, exported: [] })
    expect([problems, logs.flatMap(({ flaws }) => flaws)]).to.deep.equal([[], []])
    expect(await believedIn([archive], keys)).to.have.length(9)
    // Without any key nothing is believed, for logs that could be signed lie there.
    expect(await believedIn([archive])).to.deep.equal([])
    // Segments that retention removed from one log excuse no gap in the other.
    for (const file of filesOf(archive, 'one-1790000000000')) rmSync(file)
    expect(await complaintsOf([archive], one)).to.not.deep.equal([])
  })

  it('takes a log whose segments lie in two directories, and reads each file once', async () => {
    await writeLog(one, decisionIds(20), at(0))
    mkdirSync(other)
    for (const file of segmentsOf(one).slice(0, 2)) renameSync(file, join(other, basename(file)))
    expect(await complaintsOf([other], one)).to.deep.equal([])
    expect(await complaintsOf([one])).to.have.length(1)
    expect(await complaintsOf([one, other])).to.deep.equal([])
    const twice = [other, one, one, `${one}/../replica-0`, ...segmentsOf(one)]
    expect(await believedIn(twice, [publicKeyOf(one)])).to.have.length(20)
    expect(await complaintsOf(twice, one)).to.deep.equal([])
  })

  it('takes logs before and after the key was changed, with both keys', async () => {
    await writeLog(one, decisionIds(3, 'a'), at(0))
    const before = publicKeyOf(one)
    for (const file of ['log-key', 'log-key.pub']) rmSync(join(one, file))
    await writeLog(one, decisionIds(3, 'b'), at(1))
    const keys = [before, publicKeyOf(one)]
    const { logs, problems } = await verifyLogs([one], { keys, exported: [] })
    expect([problems, logs.flatMap(({ flaws }) => flaws)]).to.deep.equal([[], []])
    expect((await complaintsOf([one])).join()).to.match(/signed by none of the given keys/)
  })

  it('does not mix installations, and knows one that was renamed', async () => {
    await writeLog(one, [], { ...at(0), origin: 'one', authority: 'old.example' })
    await writeLog(one, [], { ...at(1), origin: 'one', authority: 'new.example' })
    await writeLog(other, [], { ...at(0), origin: 'other', authority: 'new.example', ...shared() })
    expect(await complaintsOf([one, other])).to.deep.equal([])
    await writeLog(join(home, 'third'), [], {
      ...at(0),
      origin: 'third',
      authority: 'third.example',
      ...shared(),
    })
    expect((await complaintsOf([one, other, join(home, 'third')])).join()).to.match(
      /logs of several installations: .*third\.example/,
    )
  })

  it('finds nothing wrong with an old copy that was put in the place of all, but as of a later time', async () => {
    const directory = await writeThreeLogs()
    const old = copyOf(directory)
    for (const file of filesOf(old, names[2])) rmSync(file)
    expect(await complaintsOf([old])).to.deep.equal([])
    expect(await complaintsOf([old], old, at(2).epochMs)).to.have.length(1)
  })

  it('excuses a missing log of a worker only by what later logs of that worker say', async () => {
    const directory = await writeWorkerLogs()
    const key = join(directory, 'log-key')
    const go = (worker: number, options: Partial<AuditLogOptions>) =>
      writeLog(join(directory, `worker-${worker}`), decisionIds(9, `y${worker}`), {
        ...at(3),
        ...{ key, worker, origin: `replica-${worker}` },
        ...options,
      })
    await go(1, { retention: { ageMs: undefined, bytes: 1 } })
    expect(filesOf(join(directory, 'worker-1'), 'replica-1-1790007200000')).to.deep.equal([])
    expect(await complaintsOf([directory])).to.deep.equal([])
    rmSync(join(directory, 'worker-2'), { recursive: true })
    const complaints = (await complaintsOf([directory])).join()
    expect(complaints).to.include('`worker-2/replica-2-1790003600000` beside it, which is missing')
    expect(complaints).to.include('`worker-2/replica-2-1790007200000` beside it, which is missing')
  })

  it('knows a log that began while others were read', async () => {
    const opened: AuditLog[] = []
    const open = (worker: number, hours: number): AuditLog => {
      const log = openAuditLog({
        ...{
          directory: join(one, `worker-${worker}`),
          worker,
          key: join(one, 'log-key'),
          origin: `w${worker}`,
        },
        ...{ mode: 'written', stdout: false, report: () => {}, reserveBytes: 0, ...at(hours) },
      })
      opened.push(log)
      void log.append(deniedParts(`w${worker}`))
      return log
    }
    open(1, 0)
    const second = open(2, 0.01)
    let isBegun = false
    const trust = { keys: [publicKeyOf(join(one, 'worker-1'))], exported: [] }
    const { logs, problems } = await verifyLogs([one], trust, () => {
      if (isBegun) return
      isBegun = true
      second.nameBeside([formatBeside(open(3, 0.02).name, 3)])
      // The name counts from the next checkpoint on.
      for (const id of decisionIds(5)) void second.append(deniedParts(id))
    })
    expect([problems, logs.flatMap(({ flaws }) => flaws)]).to.deep.equal([[], []])
    expect(logs.map(({ log }) => log.slice(0, 2))).to.deep.equal(['w1', 'w2', 'w3'])
    for (const log of opened) await log[Symbol.asyncDispose]()
  })
})

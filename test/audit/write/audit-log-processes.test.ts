import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { metaKindOf, parseMetaLine } from '../../../src/audit/format/meta-line.ts'
import { parseRecord } from '../../../src/audit/format/parse-record.ts'
import { readRecords } from '../../../src/audit/read/query.ts'
import type { LogLine } from '../../../src/audit/read/record-reader.ts'
import { verifyLogs } from '../../../src/audit/verify/verify.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { publicKeyOf, segmentsOf } from '../../support/written-log.ts'

const script = fileURLToPath(new URL('../../support/append-records.ts', import.meta.url))

describe('audit/write/audit-log, in processes of its own', () => {
  let directory: string
  beforeEach(() => {
    directory = join(temporaryDirectory(), 'audit')
  })

  for (const count of [1, 2, 17, 100, 333, 1000]) {
    it(`loses none of what it acknowledged when it is killed after ${count}`, async () => {
      const acknowledged = await runUntil(appending([directory, 'd', '100000']), count)
      const found = ids(await all(directory))
      expect(acknowledged.length).to.be.at.least(count)
      expect(acknowledged.filter((id) => !found.has(id))).to.deep.equal([])
    })
  }

  it('lets no second process into a directory, however many try at the same moment', async () => {
    const prefixes = ['a', 'b', 'c', 'd']
    const written = await Promise.all(
      prefixes.map((prefix) => runUntil(appending([directory, prefix, '3000']))),
    )
    const lines = await all(directory)
    expect([...ids(lines)].sort()).to.deep.equal(written.flat().sort())
    for (const name of segmentsOf(directory)) {
      const writers = readFileSync(name, 'utf8').match(/"decisionId":"\w/g) ?? []
      expect(new Set(writers).size).to.be.at.most(1)
    }
    // A process that started beside a writer was refused; one that started after its end was not.
    expect(written.filter(({ length }) => length > 0).length).to.equal(segmentsOf(directory).length)
    expect(written.every(({ length }) => length === 0 || length === 3000)).to.equal(true)
    await expectSound(directory)
  })

  it('tells in its first lines how the process before it ended, and its tree goes on from there', async () => {
    for (let run = 0; run < 3; run++) await runUntil(appending([directory, `r${run}`, '100000']), 30)
    await runUntil(appending([directory, 'last', '1']))
    const follows = segmentsOf(directory).map((file) => {
      const meta = parseMetaLine(Buffer.from(readFileSync(file, 'utf8').split('\n', 1)[0] ?? ''))
      return !isInvalid(meta) && meta.kind === 'segment' ? meta.follows?.log : 'no meta'
    })
    expect(follows).to.have.length(4)
    expect(follows[0]).to.equal(undefined)
    expect(follows.slice(1).every((log) => log?.startsWith('replica-'))).to.equal(true)
    await expectSound(directory)
  })

  it('recovers from a write that the kernel cuts short', async () => {
    // The kernel takes part of the record that crosses the limit on a file's size, then refuses the rest (EFBIG).
    const limited = spawn(
      'sh',
      [
        '-c',
        'ulimit -f 64; exec "$@"',
        'sh',
        process.execPath,
        '--import',
        'tsx',
        script,
        directory,
        'd',
        '100',
      ],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    const acknowledged = await runUntil(limited)
    const lines = await all(directory)
    expect(acknowledged.length).to.be.within(30, 99)
    expect([...ids(lines)]).to.deep.equal(acknowledged)
    expect(lines.every(({ kind }) => kind === 'record' || kind === 'meta')).to.equal(true)
    await expectSound(directory)
  })

  it('copies each line to standard output', async () => {
    const child = appending([directory, 'd', '20', 'stdout'])
    let copy = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      copy += chunk.toString()
    })
    const [acknowledged] = await Promise.all([runUntil(child), child.stdout && once(child.stdout, 'end')])
    const copied = copy.trimEnd().split('\n')
    const records = copied.flatMap((line) => {
      const record = parseRecord(line)
      return isInvalid(record) ? [] : [record.decisionId]
    })
    expect(records).to.deep.equal(acknowledged)
    const checkpoints = copied.filter((line) => metaKindOf(Buffer.from(line)) === 'checkpoint')
    expect(checkpoints.length)
      .to.equal(copied.length - records.length)
      .and.to.be.greaterThan(0)
  })

  const readers = [
    { name: 'has closed', leave: (child: ChildProcess) => void child.stdout?.destroy() },
    { name: 'never reads', leave: (child: ChildProcess) => void child.stdout?.pause() },
  ]
  for (const { name, leave } of readers) {
    it(`writes on when who should read its standard output ${name}`, async () => {
      const child = appending([directory, 'd', '1500', 'stdout'])
      leave(child)
      const acknowledged = await runUntil(child)
      expect(acknowledged).to.have.length(1500)
      expect(ids(await all(directory)).size).to.equal(1500)
    })
  }
})

function appending(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Collects what the process acknowledges until it ends, or until so many came and it is killed. */
async function runUntil(child: ChildProcess, count = Number.POSITIVE_INFINITY): Promise<string[]> {
  const acknowledged: string[] = []
  const closed = once(child, 'close')
  if (child.stderr === null) throw new Error('the process has no stderr')
  for await (const line of createInterface({ input: child.stderr })) {
    const [word, id] = line.split(' ')
    if (word === 'written' && id !== undefined) acknowledged.push(id)
    if (acknowledged.length >= count) child.kill('SIGKILL')
  }
  child.stdout?.resume()
  await closed
  return acknowledged
}

async function expectSound(directory: string): Promise<void> {
  const { logs, problems } = await verifyLogs([directory], { keys: [publicKeyOf(directory)], exported: [] })
  expect([problems, logs.flatMap(({ flaws }) => flaws)]).to.deep.equal([[], []])
}

async function all(directory: string): Promise<LogLine[]> {
  const found: LogLine[] = []
  for await (const line of readRecords([directory])) found.push(line)
  return found
}

function ids(lines: readonly LogLine[]): Set<string> {
  return new Set(lines.flatMap((line) => (line.kind === 'record' ? [line.record.decisionId] : [])))
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { parseRecord } from '../../src/audit/parse-record.ts'
import { type LogLine, readRecords } from '../../src/audit/query.ts'
import { isInvalid } from '../../src/model/invalid.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const script = fileURLToPath(new URL('../support/append-records.ts', import.meta.url))

describe('audit/audit-log, in processes of its own', function () {
  this.timeout(60_000)
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

  it('shares no segment with a second process of its origin that began at the same moment', async () => {
    const prefixes = ['a', 'b', 'c']
    const written = await Promise.all(
      prefixes.map((prefix) => runUntil(appending([directory, prefix, '300']))),
    )
    const lines = await all(directory)
    expect(lines.every(({ kind }) => kind === 'record')).to.equal(true)
    expect([...ids(lines)].sort()).to.deep.equal(written.flat().sort())
    expect(readdirSync(directory)).to.have.length(3)
    for (const name of readdirSync(directory)) {
      const writers = readFileSync(join(directory, name), 'utf8').match(/"decisionId":"\w/g)
      expect(new Set(writers).size).to.equal(1)
    }
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
    expect(acknowledged.length).to.be.within(50, 99)
    expect([...ids(lines)]).to.deep.equal(acknowledged)
    expect(lines.filter(({ kind }) => kind === 'torn')).to.have.length(100 - acknowledged.length)
  })

  it('copies each line to standard output', async () => {
    const child = appending([directory, 'd', '20', 'stdout'])
    let copy = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      copy += chunk.toString()
    })
    const [acknowledged] = await Promise.all([runUntil(child), child.stdout && once(child.stdout, 'end')])
    const records = copy.trimEnd().split('\n').map(parseRecord)
    expect(records.map((record) => !isInvalid(record) && record.decisionId)).to.deep.equal(acknowledged)
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

async function all(directory: string): Promise<LogLine[]> {
  const found: LogLine[] = []
  for await (const line of readRecords([directory])) found.push(line)
  return found
}

function ids(lines: readonly LogLine[]): Set<string> {
  return new Set(lines.flatMap((line) => (line.kind === 'record' ? [line.record.decisionId] : [])))
}

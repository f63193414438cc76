import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import { Processes, type Program, type Running } from '../../demo/processes.ts'
import { readRecords } from '../../src/audit/read/query.ts'
import { decodeCheckResponse } from '../support/check-request.ts'
import { createGrpcClient, type GrpcClient } from '../support/grpc-client.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'
import { type Listening, requestNow, type SetUp, setUpWorkers } from '../support/worker-set-up.ts'

type WorkerState = { readonly worker: number; readonly ready: boolean; readonly connections: number }

const connections = 6

describe('several workers', () => {
  let directory: string
  let processes: Processes
  const decided: string[] = []
  let listeners: readonly Listening[] = []
  let admin = 0
  let primary: Running

  before(async () => {
    directory = temporaryDirectory()
    processes = new Processes(directory)
    const set = await setUpWorkers(directory)
    listeners = set.listeners
    admin = set.admin
    primary = await processes.start(set.program)
    await untilReady(2)
  })
  after(() => processes[Symbol.asyncDispose]())

  for (const transport of ['grpc-js', 'lean']) {
    for (const place of ['port', 'TLS', 'socket']) {
      it(`answer on one ${place} over ${transport}, each for half of the connections`, async () => {
        const listening = listeners.find(({ name }) => name === `${transport} ${place}`)
        await untilNoConnections()
        const ids = await askOverMany(listening)
        const workers = await decidersOf(ids)
        expect(workers.filter((name) => name === 'worker-1')).to.have.length(connections / 2)
        expect(workers.filter((name) => name === 'worker-2')).to.have.length(connections / 2)
      })
    }
  }

  it('decide on while one of them is killed, and it comes back', async () => {
    process.kill(await pidOf(2), 'SIGKILL')
    for (let call = 0; call < 10; call++) await ask(listeners[call % listeners.length])
    expect(await readyz()).to.include({ ready: true })
    await untilReady(2)
    expect(new Set(await decidersOf(await askOverMany(listeners[0])))).to.deep.equal(
      new Set(['worker-1', 'worker-2']),
    )
  })

  it('are measured one by one', async () => {
    const text = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text()
    const allowed = [
      ...text.matchAll(/^waywarden_checks_total\{outcome="allow",code="",worker="(\d)"\} \d+$/gm),
    ]
    expect(allowed.map(([, worker]) => worker)).to.deep.equal(['1', '2'])
    expect(text).to.match(/^waywarden_worker_ends_total\{worker="2"\} 1$/m)
    expect(text.match(/^# TYPE waywarden_checks_total /gm)).to.have.length(1)
    // The primary decides nothing, so it reports nothing about policies.
    expect(text).to.not.match(/^waywarden_policies\{worker="primary"\}/m)
  })

  it('drain together, and all that was answered is in their logs', async () => {
    expect(await primary.stop('SIGTERM')).to.equal(0)
    const audit = join(directory, 'audit')
    const { code, out } = await run(['audit', 'verify', audit, '--json'])
    type Log = { readonly log: string; readonly directory: string; readonly beside: readonly string[] }
    const { logs }: { readonly logs: readonly Log[] } = JSON.parse(out)
    expect(code).to.equal(0)
    const named = (worker: string) =>
      logs.flatMap(({ directory: folder, beside }) => (basename(folder) === worker ? beside : []))
    for (const [one, other] of [
      ['worker-1', 'worker-2'],
      ['worker-2', 'worker-1'],
    ] as const) {
      const wanted = logs
        .filter((log) => basename(log.directory) === other)
        .map(({ log }) => `${other}/${log}`)
      expect(new Set(named(one))).to.deep.equal(new Set(wanted))
    }
    // The killed one has a successor, which says how it ended.
    expect(logs.map((log) => basename(log.directory))).to.have.members(['worker-1', 'worker-2', 'worker-2'])
    expect(await decidersOf(decided)).to.have.length(decided.length)
    const found = await run(['why', decided[0] ?? '', '--audit', audit])
    expect(found.out).to.include('judged again: the same')
  })

  it('go on with the log of one process, which finds theirs', async () => {
    const set = await setUpWorkers(directory, 1)
    const alone = await processes.start(set.program)
    await ask(set.listeners[0])
    expect(await alone.stop('SIGTERM')).to.equal(0)
    expect(await decidersOf(decided)).to.have.length(decided.length)
    expect((await run(['audit', 'verify', join(directory, 'audit')])).code).to.equal(0)
  })

  async function ask(listening: Listening | undefined): Promise<string> {
    const client = openClient(listening)
    try {
      return await askOver(client)
    } finally {
      client.close()
    }
  }

  /** Over connections that are all open at once. */
  async function askOverMany(listening: Listening | undefined): Promise<readonly string[]> {
    const clients = Array.from({ length: connections }, () => openClient(listening))
    const ids = await Promise.all(clients.map(askOver))
    for (const client of clients) client.close()
    return ids
  }

  async function askOver(client: GrpcClient): Promise<string> {
    const answer = decodeCheckResponse(await client.check(requestNow()))
    expect(answer).to.include({ kind: 'ok' })
    const id = answer.clientHeaders['waywarden-decision-id'] ?? ''
    decided.push(id)
    return id
  }

  async function decidersOf(ids: readonly string[]): Promise<readonly string[]> {
    const workers: string[] = []
    for await (const line of readRecords([join(directory, 'audit')])) {
      if (line.kind === 'record' && ids.includes(line.record.decisionId))
        workers.push(basename(dirname(line.file)))
    }
    return workers
  }

  async function readyz(): Promise<{ readonly ready: boolean; readonly workers: readonly WorkerState[] }> {
    return JSON.parse(await (await fetch(`http://127.0.0.1:${admin}/readyz`)).text())
  }

  async function untilReady(count: number): Promise<void> {
    while ((await readyz()).workers.filter(({ ready }) => ready).length < count) await wait(50)
  }

  async function untilNoConnections(): Promise<void> {
    while ((await readyz()).workers.some((worker) => worker.connections > 0)) await wait(10)
  }

  async function pidOf(worker: number): Promise<number> {
    const log = readFileSync(join(directory, 'workers-2.log'), 'utf8')
    return Number([...log.matchAll(new RegExp(`"of":${worker},"pid":(\\d+)`, 'g'))].at(-1)?.[1])
  }
})

describe('several workers that cannot start', () => {
  for (const { name, spoil, code, want } of [
    {
      name: 'say once that the configuration cannot serve',
      spoil: (set: SetUp) => writeFile(set.file, 'version: 1\nworkers: 2\n'),
      code: 78,
      want: /`listeners`/g,
    },
    {
      name: 'say once what is wrong with a file',
      spoil: (set: SetUp) => rm(join(dirname(set.file), 'keys/active.jwk.json')),
      code: 78,
      want: /^waywarden: cannot start: .*active\.jwk\.json/gm,
    },
    {
      name: 'name the port that is taken',
      spoil: async (set: SetUp) => {
        const other = createServer().listen(Number(set.listeners[0]?.target), '127.0.0.1').unref()
        await once(other, 'listening')
      },
      code: 1,
      want: /^waywarden: cannot start: cannot listen on `127\.0\.0\.1:\d+`/gm,
    },
  ]) {
    it(`${name}, and end`, async () => {
      const set = await setUpWorkers(temporaryDirectory())
      await spoil(set)
      const { status, stderr } = await runToEnd(set.program)
      expect(status).to.equal(code)
      expect(stderr.match(want)).to.have.length(1)
    })
  }

  it('end their primary, when all are gone and none starts again', async () => {
    const directory = temporaryDirectory()
    await using processes = new Processes(directory)
    const set = await setUpWorkers(directory)
    const primary = await processes.start(set.program)
    const log = () => readFileSync(join(directory, `${set.program.name}.log`), 'utf8')
    await untilOpened(primary, log)
    await rm(join(directory, 'keys/active.jwk.json'))
    for (const [, pid] of log().matchAll(/"of":\d,"pid":(\d+)/g)) process.kill(Number(pid), 'SIGKILL')
    expect(await primary.ended).to.include({ code: 78 })
    expect(log()).to.match(/^waywarden: cannot start: .*active\.jwk\.json/m)
  })

  it('end when their primary is killed, and leave the port', async () => {
    const directory = temporaryDirectory()
    await using processes = new Processes(directory)
    const set = await setUpWorkers(directory)
    const primary = await processes.start(set.program)
    await primary.stop('SIGKILL')
    const again = await processes.start({ ...set.program, name: 'again' })
    // It has their audit directories, which only the dead give up.
    expect(await again.stop('SIGTERM')).to.equal(0)
  })
})

function openClient(listening: Listening | undefined): GrpcClient {
  return createGrpcClient(listening?.target ?? 0, listening?.tls)
}

/** The second worker's opening is the last. */
async function untilOpened(primary: Running, log: () => string): Promise<void> {
  while (primary.isRunning() && !/"of":2,"pid":/.test(log())) await wait(20)
}

async function runToEnd({ command, args }: Program): Promise<{ status: number | null; stderr: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const [stderr, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  return { status, stderr }
}

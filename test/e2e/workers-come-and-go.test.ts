import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import { parse, stringify } from 'yaml'
import { Processes } from '../../demo/processes.ts'
import type { Readiness } from '../../src/server/admin/admin-server.ts'
import { decodeCheckResponse } from '../support/check-request.ts'
import { createGrpcClient, type GrpcClient } from '../support/grpc-client.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { type Listening, requestNow, setUpWorkers } from '../support/worker-set-up.ts'

const connections = 6

describe('several workers that come and go', () => {
  for (const transport of ['grpc-js', 'lean']) {
    it(`serve new connections over ${transport} until they have drained`, async () => {
      await using started = await startWorkers({ drain: '2s' })
      const stopped = started.primary.stop('SIGTERM')
      while ((await started.readyz()).ready) await wait(5)
      for (const client of await askOverMany(started.listeners, `${transport} port`)) client.close()
      expect(await stopped).to.equal(0)
    })
  }

  it('show who hangs after seconds, and serve without it until it wakes up', async () => {
    await using started = await startWorkers({})
    const pid = await started.pidOfWorker()
    process.kill(pid, 'SIGSTOP')
    while ((await started.readyz()).workers?.[1]?.ready === true) await wait(50)
    const { ready, notices } = await started.readyz()
    expect(ready).to.equal(true)
    expect(notices).to.include('worker 2: it does not answer')
    const clients = await askOverMany(started.listeners, 'lean port')
    const { workers } = await started.readyz()
    expect(workers?.map((worker) => worker.connections)).to.deep.equal([connections, 0])
    for (const client of clients) client.close()
    process.kill(pid, 'SIGCONT')
    while ((await started.readyz()).workers?.[1]?.ready !== true) await wait(50)
  })

  it('are stopped while one of them hangs at its start', async () => {
    const directory = temporaryDirectory()
    await using processes = new Processes(directory)
    const { readyUrl: _, ...program } = (await setUpWorkers(directory)).program
    const primary = await processes.start(program)
    process.kill(await pidOfOnlyChild(primary.pid), 'SIGSTOP')
    expect(await primary.stop('SIGTERM')).to.equal(0)
    expect(readFileSync(join(directory, `${program.name}.log`), 'utf8')).to.equal('')
  })
})

/** Starts two workers, and waits until both can decide. */
async function startWorkers(changes: object) {
  const directory = temporaryDirectory()
  const set = await setUpWorkers(directory)
  await writeFile(set.file, stringify({ ...parse(await readFile(set.file, 'utf8')), ...changes }))
  const processes = new Processes(directory)
  const primary = await processes.start(set.program)
  const readyz = async (): Promise<Readiness> =>
    JSON.parse(await (await fetch(`http://127.0.0.1:${set.admin}/readyz`)).text())
  while (!(await readyz()).workers?.every(({ ready }) => ready)) await wait(20)
  return {
    listeners: set.listeners,
    primary,
    readyz,
    /** The second worker's. The primary can still have lines to write once it is ready. */
    async pidOfWorker(): Promise<number> {
      const file = join(directory, `${set.program.name}.log`)
      for (;;) {
        const [, pid] = /"of":2,"pid":(\d+)/.exec(readFileSync(file, 'utf8')) ?? []
        if (pid !== undefined) return Number(pid)
        await wait(20)
      }
    },
    [Symbol.asyncDispose]: () => processes[Symbol.asyncDispose](),
  }
}

/**
 * Waits until the child runs its own program. A child that is stopped between fork and exec stops its parent, too: libuv's
 * spawn blocks until exec has succeeded.
 */
async function pidOfOnlyChild(pid: number): Promise<number> {
  const children = () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  while (children() === '') await wait(5)
  const child = Number(children())
  const commandOf = (process: number) => readFileSync(`/proc/${process}/cmdline`, 'utf8')
  while (commandOf(child) === commandOf(pid)) await wait(5)
  return child
}

/** Over connections that stay open. */
async function askOverMany(listeners: readonly Listening[], name: string): Promise<readonly GrpcClient[]> {
  const { target = 0 } = listeners.find((listener) => listener.name === name) ?? {}
  const clients = Array.from({ length: connections }, () => createGrpcClient(target))
  const answers = await Promise.all(clients.map((client) => client.check(requestNow())))
  for (const answer of answers) expect(decodeCheckResponse(answer)).to.include({ kind: 'ok' })
  return clients
}

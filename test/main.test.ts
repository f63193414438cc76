import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { freePorts } from '../demo/ports.ts'
import { decodeCheckResponse, encodeCheckRequest } from './support/check-request.ts'
import { check } from './support/grpc-client.ts'
import { copyPolicies } from './support/sample-policies.ts'
import { temporaryDirectory } from './support/temporary-directory.ts'
import { run } from './support/terminal.ts'

type Started = {
  readonly child: ChildProcess
  readonly until: (message: string) => Promise<void>
  readonly port: number
}

describe('main', () => {
  // Each starts a process of its own, on a machine that may be busy.
  const started: ChildProcess[] = []

  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL')
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`drains and ends with 0 on ${signal}`, async () => {
      const { child, until } = await serve('0s')
      await until('"what":"admin"')
      child.kill(signal)
      expect(await ended(child)).to.equal(0)
    })
  }

  it('goes on deciding when the reader of its copied records leaves', async () => {
    const { child, until, port } = await serve('0s', 'audit: {directory: ./audit, stdout: true}')
    await until('"what":"admin"')
    child.stdout?.destroy()
    // The first one's record finds that nobody reads; the last one comes well after that.
    for (let asked = 0; asked < 3; asked++) {
      expect(decodeCheckResponse(await check(port, encodeCheckRequest({}))).kind).to.equal('denied')
    }
    expect(child.exitCode).to.equal(null)
    child.kill('SIGTERM')
    await until('draining')
    expect(await ended(child)).to.equal(0)
  })

  it('ends with 1 at once on the second signal', async () => {
    const { child, until } = await serve('5m')
    await until('"what":"admin"')
    child.kill('SIGTERM')
    await until('draining')
    child.kill('SIGTERM')
    expect(await ended(child)).to.equal(1)
  })

  it('ends with the exit code of its command', async () => {
    expect(await ended(start(['config', 'check', '-c', join(temporaryDirectory(), 'absent.yaml')]))).to.equal(
      78,
    )
    expect(await ended(start(['--nonsense']))).to.equal(2)
  })

  it('reads a token from standard input', async () => {
    const child = start(['chain', 'inspect', '-'])
    child.stdin?.end('no token\n')
    expect(await ended(child)).to.equal(1)
  })

  it('does not mind a reader that has seen enough', async () => {
    const child = start(['config', 'schema'])
    child.stdout?.destroy()
    expect(await ended(child)).to.equal(0)
  })

  function start(argv: readonly string[]): ChildProcess {
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', ...argv])
    started.push(child)
    return child
  }

  async function serve(drain: string, audit = 'audit: {directory: ./audit}'): Promise<Started> {
    const directory = temporaryDirectory()
    const [port = 0] = await freePorts(1)
    await run(['keys', 'init', join(directory, 'keys')])
    copyPolicies(join(directory, 'policies'))
    const file = join(directory, 'waywarden.yaml')
    await writeFile(
      file,
      `version: 1
listeners: [{address: 127.0.0.1:${port}, peer: xfcc}]
admin: {address: 127.0.0.1:0}
drain: ${drain}
chain: {issuer: https://waywarden.hospital.example, trustDomain: hospital.example, keys: ./keys}
policy: {directory: ./policies}
${audit}
`,
    )
    const child = start(['serve', '-c', file])
    return { child, until: lineReader(child), port }
  }
})

async function ended(child: ChildProcess): Promise<unknown> {
  const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
  return code
}

/** Waits for a line of the log, also one that came before anybody waited. */
function lineReader(child: ChildProcess): Started['until'] {
  const { stderr } = child
  if (stderr === null) throw new TypeError('the child has no stderr')
  const lines = createInterface(stderr)[Symbol.asyncIterator]()
  return async (message) => {
    for (let next = await lines.next(); !next.done; next = await lines.next()) {
      if (next.value.includes(message)) return
    }
    throw new RangeError(`the log ended without \`${message}\``)
  }
}

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { createCa } from '../../demo/ca.ts'
import { createHttp2Transport } from '../../src/envoy/http2/http2-server.ts'
import type { CallHandler, GrpcListener } from '../../src/envoy/transport.ts'
import { echoing, plainListener } from '../support/grpc-listener.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const run = promisify(execFile)
const bin = join(import.meta.dirname, '../../.tools/bin')
/** Answers in the order of chance, some at once and some later. */
const echoingLater: CallHandler = (request, call) => {
  const answer = echoing(request, call)
  if (answer instanceof Promise || answer.length % 2 === 0) return answer
  return new Promise((resolve) => setImmediate(() => resolve(answer)))
}

describe('the lean transport', () => {
  const createTls = (): GrpcListener['tls'] => {
    const ca = createCa(temporaryDirectory(), 'hospital.example')
    const own = ca.issue('waywarden', ['spiffe://hospital.example/ns/waywarden/sa/waywarden'])
    const certificates = { cert: readFileSync(own.chain), key: readFileSync(own.key), clientCa: undefined }
    return { current: () => certificates, onChange: () => () => {} }
  }

  const listeners: readonly {
    readonly name: string
    readonly tls: () => GrpcListener['tls']
    readonly args: readonly string[]
  }[] = [
    { name: 'in plaintext', tls: () => undefined, args: [] },
    { name: 'over TLS', tls: createTls, args: ['--tls', '--insecure'] },
  ]
  for (const listener of listeners) {
    it(`passes h2spec, the strict cases among them, ${listener.name}`, async () => {
      await using transport = await createHttp2Transport(
        { ...plainListener, tls: listener.tls() },
        echoing,
        () => {},
      )
      const args = ['--strict', '--port', String(transport.port), ...listener.args]
      const { stdout } = await run(join(bin, 'h2spec'), args).catch((fault: { stdout?: string }) => ({
        stdout: fault.stdout ?? String(fault),
      }))
      expect(stdout).to.match(/\b146 tests, 146 passed, 0 skipped, 0 failed/)
    })
  }

  for (const { name, handle } of [
    { name: 'answers at once', handle: echoing },
    { name: 'answers later', handle: echoingLater },
  ]) {
    it(`serves a grpc-go client when it ${name}`, async () => {
      const faults: unknown[] = []
      await using transport = await createHttp2Transport(plainListener, handle, (event) => {
        if (event.kind === 'fault') faults.push(event.cause)
      })
      transport.setServing(true)
      const outcome = await run(join(bin, 'grpc-go'), [transport.address]).catch((fault: unknown) => fault)
      expect(outcome).to.deep.equal({ stdout: '', stderr: '' })
      expect(faults).to.deep.equal([])
    })
  }
})

import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { promisify } from 'node:util'
import { type Load, quantile } from './figures.ts'

/** How many connections, and how many requests at once on each. */
export type Concurrency = { readonly connections: number; readonly streams: number }

const run = promisify(execFile)
const headers = ['content-type: application/grpc', 'te: trailers'].flatMap((header) => ['-H', header])
const path = '/envoy.service.auth.v3.Authorization/Check'

/** Fails when h2load is missing, and says where it comes from. */
export async function findH2load(): Promise<string> {
  try {
    return (await run('h2load', ['--version'])).stdout.trim()
  } catch (cause) {
    throw new Error('expected `h2load` on PATH: install nghttp2 (Debian: nghttp2-client)', { cause })
  }
}

/** Asks one framed message again and again, as fast as answers come. */
export async function runH2load(
  port: number,
  message: string,
  seconds: number,
  { connections, streams }: Concurrency,
): Promise<Load> {
  const log = `${message}.${port}.latencies`
  const load = ['-D', String(seconds), '-c', String(connections), '-m', String(streams), '-t', '1']
  const target = ['-d', message, `--log-file=${log}`, `http://127.0.0.1:${port}${path}`]
  rmSync(log, { force: true })
  const { stdout } = await run('h2load', [...load, ...headers, ...target])
  if (!/ 0 failed, 0 errored, 0 timeout/.test(stdout)) throw new Error(`h2load: a request failed\n${stdout}`)
  const latencies = readLatencies(log)
  rmSync(log)
  return {
    calls: latencies.length,
    seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    p999: quantile(latencies, 0.999),
  }
}

/** Sorted microseconds; each line of the log has when, which status, and how long. */
function readLatencies(log: string): Float64Array {
  const lines = readFileSync(log, 'latin1').trimEnd().split('\n')
  const latencies = lines.map((line) => {
    const [, status, micros] = line.split('\t')
    if (status !== '200') throw new Error(`h2load: status ${status}`)
    return Number(micros)
  })
  return Float64Array.from(latencies).sort()
}

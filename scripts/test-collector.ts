// Builds a real OpenTelemetry Collector from its modules. With the configuration of istio/observability it reads the
// output of a real Waywarden, in the form that a kubelet writes. The script compares the records that arrive by OTLP
// with that output: `npm run test:collector`.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { freePorts } from '../demo/ports.ts'
import { Processes } from '../demo/processes.ts'
import { waywardenProgram } from '../demo/waywarden.ts'
import { encodeCheckRequest } from '../test/support/check-request.ts'
import { readJwks, readKey } from '../test/support/forge.ts'
import { createGrpcClient } from '../test/support/grpc-client.ts'
import { uris } from '../test/support/hospital.ts'
import { chainNow } from '../test/support/running-app.ts'
import { settings } from '../test/support/settings.ts'

type Value = { readonly stringValue?: string; readonly intValue?: string; readonly kvlistValue?: unknown }
/** As much of a line as is compared. */
type Line = {
  readonly kind: string
  readonly time: string
  readonly decisionId?: string
  readonly outcome?: string
  readonly code?: string
  readonly txn?: string
  readonly traceId?: string
  readonly policyRevision?: string
  readonly caller?: { readonly id: string }
  readonly service?: { readonly name: string }
}

type LogRecord = {
  readonly timeUnixNano: string
  readonly severityNumber: number
  readonly traceId?: string
  readonly body: Value
  readonly attributes: readonly { readonly key: string; readonly value: Value }[]
}

const root = join(import.meta.dirname, '..')
const arriveWithinMs = 60_000
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
// A kubelet splits longer lines; the collector has to put them together again.
const criPartBytes = 16 * 1024

process.exitCode = await main()

async function main(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'waywarden-collector-'))
  try {
    buildCollector()
    const { out, err } = await runWaywarden(directory)
    writePodLog(join(directory, 'pods/waywarden_waywarden-0_0f1e/waywarden'), out, err)
    const problems = compare(out, await collect(directory, out.length))
    for (const problem of problems) console.error(`✗ ${problem}`)
    if (problems.length === 0) console.log(`✓ ${out.length} lines arrived by OTLP, each as it was printed`)
    return problems.length === 0 ? 0 : 1
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function buildCollector(): void {
  const args = ['build', '-trimpath', '-gcflags=all=-N -l', '-o', join(root, '.tools/bin/collector'), '.']
  const { status } = spawnSync('go', args, {
    cwd: join(root, 'test/support/collector'),
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) throw new Error('the collector could not be built; it needs Go >= 1.26')
}

/** The lines that a Waywarden prints on stdout and on stderr while it allows, denies, repeats and ends. */
async function runWaywarden(directory: string): Promise<{ out: readonly string[]; err: readonly string[] }> {
  mkdirSync(join(directory, 'keys'))
  writeFileSync(join(directory, 'keys/active.jwk.json'), readKey('chain'))
  writeFileSync(join(directory, 'idp-jwks.json'), readJwks('hospital-idp'))
  writeFileSync(join(directory, 'revocations.json'), '{"version":1,"entries":[]}')
  cpSync(join(root, 'policies'), join(directory, 'policies'), { recursive: true })
  const [port = 0, adminPort = 0] = await freePorts(2)
  writeFileSync(join(directory, 'waywarden.yaml'), settings)
  const child = spawn(
    process.execPath,
    [waywardenProgram, 'serve', '-c', join(directory, 'waywarden.yaml')],
    {
      env: {
        ...process.env,
        WAYWARDEN__LISTENERS__0__ADDRESS: `127.0.0.1:${port}`,
        WAYWARDEN__ADMIN__ADDRESS: `127.0.0.1:${adminPort}`,
        WAYWARDEN__AUDIT__STDOUT: 'true',
        WAYWARDEN__LOG__LEVEL: 'info',
      },
    },
  )
  const text = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.out += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text.err += chunk
  })
  const ended = once(child, 'close')
  await untilReady(`http://127.0.0.1:${adminPort}/readyz`)
  await askAll(port)
  child.kill('SIGTERM')
  await ended
  return { out: toLines(text.out), err: toLines(text.err) }
}

async function askAll(port: number): Promise<void> {
  const client = createGrpcClient(port)
  const common = {
    'x-forwarded-client-cert': `By=${uris.waypoint};URI=${uris.agentD}`,
    traceparent,
  }
  const chain = chainNow()
  const coverage = { method: 'GET', path: '/coverage/42', destinationAddress: '10.96.0.10:8080' }
  const records = { method: 'GET', path: '/patients/42', destinationAddress: '10.96.0.11:8080' }
  const long = { ...records, path: `/patients/${'4'.repeat(criPartBytes)}` }
  const headers = { ...common, 'actor-chain': chain }
  for (const request of [coverage, coverage, records, long]) {
    await client.check(encodeCheckRequest({ ...request, headers }))
  }
  await client.check(encodeCheckRequest({ ...coverage, headers: {} }))
  client.close()
}

/** As containerd writes a container's output down. */
function writePodLog(folder: string, out: readonly string[], err: readonly string[]): void {
  const lines = [...err.map((line) => ['stderr', line]), ...out.map((line) => ['stdout', line])]
  const text = lines.flatMap(([stream = '', line = '']) => {
    const parts = line.match(new RegExp(`.{1,${criPartBytes}}`, 'gs')) ?? ['']
    return parts.map((part, index) => {
      const tag = index === parts.length - 1 ? 'F' : 'P'
      return `2026-11-25T02:00:00.000000000Z ${stream} ${tag} ${part}\n`
    })
  })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, '0.log'), text.join(''))
}

/** Runs the collector until `wanted` records have come, or the time is over. */
async function collect(directory: string, wanted: number): Promise<readonly LogRecord[]> {
  const records: LogRecord[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(Buffer.from(chunk))
    const { resourceLogs } = JSON.parse(gunzipSync(Buffer.concat(chunks)).toString())
    for (const { scopeLogs } of resourceLogs)
      for (const { logRecords } of scopeLogs) records.push(...logRecords)
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  const [port = 0] = await freePorts(1)
  server.listen(port, '127.0.0.1')
  await using processes = new Processes(directory)
  await processes.start({
    name: 'collector',
    command: join(root, '.tools/bin/collector'),
    args: ['--config', join(root, 'istio/observability/collector.yaml')],
    env: {
      COLLECTOR_STATE: join(directory, 'state'),
      WAYWARDEN_LOGS: join(directory, 'pods/waywarden_waywarden-*/waywarden/*.log'),
      OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTLP_ENCODING: 'json',
    },
  })
  for (let waitedMs = 0; records.length < wanted && waitedMs < arriveWithinMs; waitedMs += 100)
    await wait(100)
  server.close()
  return records
}

function compare(printed: readonly string[], arrived: readonly LogRecord[]): readonly string[] {
  const byBody = new Map(arrived.map((record) => [record.body.stringValue, record]))
  const problems = printed.flatMap((line) => {
    const record = byBody.get(line)
    return record === undefined ? [`missing: ${line.slice(0, 120)}`] : compareOne(JSON.parse(line), record)
  })
  const count =
    arrived.length === printed.length ? [] : [`${printed.length} printed, ${arrived.length} arrived`]
  const kinds = new Set(printed.map((line) => JSON.parse(line).kind))
  const varied =
    kinds.has('decision') && kinds.has('checkpoint') ? [] : [`too few kinds of lines: ${[...kinds]}`]
  return [...problems, ...count, ...varied]
}

function compareOne(line: Line, record: LogRecord): readonly string[] {
  const attributes = new Map(record.attributes.map(({ key, value }) => [key, value.stringValue]))
  const { kind, decisionId, outcome, code, txn, caller, service, policyRevision, time, traceId } = line
  const expected: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ['event.name', attributes.get('event.name'), `waywarden.${kind}`],
    ['record', attributes.get('record'), undefined],
    ...(kind === 'decision'
      ? ([
          ['id', attributes.get('waywarden.decision.id'), decisionId],
          ['outcome', attributes.get('waywarden.outcome'), outcome],
          ['code', attributes.get('waywarden.code'), code],
          ['txn', attributes.get('waywarden.txn'), txn],
          ['caller', attributes.get('waywarden.caller'), caller?.id],
          ['service', attributes.get('waywarden.service'), service?.name],
          ['revision', attributes.get('waywarden.policy.revision'), policyRevision],
          ['trace', record.traceId || undefined, traceId],
          ['time', record.timeUnixNano, `${Date.parse(time)}000000`],
          ['severity', String(record.severityNumber), outcome === 'allow' ? '9' : '13'],
        ] as const)
      : []),
  ]
  return expected
    .filter(([, found, wanted]) => found !== wanted)
    .map(([name, found, wanted]) => `${kind} ${decisionId}: ${name}: expected ${wanted}, found ${found}`)
}

async function untilReady(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok === true) return
    await wait(100)
  }
}

function toLines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '')
}

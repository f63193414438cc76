import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { describeCause } from '../base/model/fault.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import type { Config } from '../config/config.ts'
import type { TraceEndpoint, Tracing } from '../config/tracing.ts'
import { Exporter } from '../telemetry/exporter.ts'
import type { Span } from '../telemetry/span.ts'
import { resourceAttributes } from '../telemetry/span-attributes.ts'
import { createTracer, type Tracer } from '../telemetry/tracer.ts'
import { type StartContext, StartError } from './start-context.ts'

/** Opens the span exporters, if configured. Throws a `StartError` if the file of a header cannot be read. */
export async function openTracing({ tracing }: Config, context: StartContext): Promise<Tracer | undefined> {
  if (tracing === undefined) return undefined
  const problems = await Promise.all(tracing.endpoints.map(readHeaders))
  const reasons = problems.flatMap((headers) =>
    isInvalid(headers) ? [`\`tracing\`: ${headers.reason}`] : [],
  )
  if (reasons.length > 0) throw new StartError(reasons)
  const exporters = await openExporters(tracing, context)
  return createTracer({
    ...tracing,
    send(spans) {
      for (const exporter of exporters) exporter.offer(spans)
    },
    nowMs: Date.now,
    elapsedMs: () => performance.now(),
  })
}

async function openExporters(
  { project, endpoints, timeoutMs, maxQueued }: Tracing,
  { closing, report }: StartContext,
): Promise<readonly Exporter<Span>[]> {
  // Loading takes 0.1 seconds, so it is imported only if traces are configured.
  const { createSpanEncoder, readRejectedSpans } = await import('../telemetry/otlp.ts')
  const encode = createSpanEncoder({
    [resourceAttributes.service]: project,
    [resourceAttributes.instance]: `${hostname()}-${process.pid}`,
    [resourceAttributes.project]: project,
  })
  return endpoints.map((endpoint) => {
    const { url } = endpoint
    const common = { what: 'traces', url, endpoint: url, timeoutMs, maxQueued, encode, report } as const
    const headers = () => readHeaders(endpoint)
    const exporter = new Exporter<Span>({ ...common, headers, readRejected: readRejectedSpans })
    closing.push(exporter)
    return exporter
  })
}

/** Read for each request, so that a renewed secret is used at once. The value itself is never logged. */
async function readHeaders({ headers }: TraceEndpoint): Promise<ReadonlyMap<string, string> | Invalid> {
  const values = new Map<string, string>()
  for (const { name, file } of headers) {
    try {
      const value = (await readFile(file, 'utf8')).trim()
      if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value))
        return invalid(`\`${file}\`: expected one line of visible ASCII, the value of \`${name}\``)
      values.set(name, value)
    } catch (cause) {
      return invalid(`\`${file}\` cannot be read: ${describeCause(cause)}`)
    }
  }
  return values
}

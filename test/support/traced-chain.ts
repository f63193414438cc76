import type { Config } from '../../src/config/config.ts'
import type { Tracing } from '../../src/config/tracing.ts'
import type { CheckResponseFields } from './check-request.ts'
import { uris } from './hospital.ts'
import type { OtlpReceiver, ReceivedSpan } from './otlp-receiver.ts'
import { type RunningApp, tokenNow } from './running-app.ts'

/** Traces everything to `urls`, as far as `overlay` does not say otherwise. */
export function tracingTo(
  urls: readonly string[],
  overlay: Partial<Tracing> = {},
): (config: Config) => Config {
  const endpoints = urls.map((url) => ({ url: `${url}/v1/traces`, headers: [] }))
  const tracing = { sample: 1, denials: false, project: 'test', endpoints, timeoutMs: 1000, maxQueued: 1000 }
  return (config) => ({ ...config, tracing: { ...tracing, ...overlay } })
}

/** The clerk asks A, A asks D, and D asks the insurance and for a record: each asked of the next Waywarden in turn. */
export async function playChain(
  [one, other]: readonly [RunningApp, RunningApp],
  headers: Readonly<Record<string, string>> = {},
): Promise<readonly CheckResponseFields[]> {
  const chainOf = ({ setHeaders }: CheckResponseFields) => setHeaders['actor-chain'] ?? ''
  const task = { method: 'POST', path: '/tasks' }
  const toA = await one.ask({
    ...task,
    peer: uris.gateway,
    destinationAddress: '10.96.0.4:8080',
    headers: { ...headers, authorization: `Bearer ${tokenNow()}` },
  })
  const toD = await other.ask({
    ...task,
    peer: uris.agentA,
    destinationAddress: '10.96.0.2:8080',
    headers: { ...headers, 'actor-chain': chainOf(toA) },
  })
  const onward = { ...headers, 'actor-chain': chainOf(toD) }
  const toInsurance = await one.ask({ headers: onward })
  const toRecords = await other.ask({
    path: '/patients/p-7',
    destinationAddress: '10.96.0.11:8080',
    headers: onward,
  })
  return [toA, toD, toInsurance, toRecords]
}

/** The spans of checks alone, in the order in which they began. */
export function checksOf({ spans }: OtlpReceiver): readonly ReceivedSpan[] {
  return spans.filter(({ kind }) => kind === 'SERVER').toSorted((one, two) => one.startedMs - two.startedMs)
}

/** The spans right under another one, in the order in which they began. */
export function childrenOf({ spans }: OtlpReceiver, parent: ReceivedSpan): readonly ReceivedSpan[] {
  return spans
    .filter(({ parentSpanId }) => parentSpanId === parent.spanId)
    .toSorted((one, two) => one.startedMs - two.startedMs)
}

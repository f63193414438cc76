import { randomUUID } from 'node:crypto'
import type { Listener } from '../config/config.ts'
import { type CheckShell, createChecker } from '../decision/check/check.ts'
import { tokenHeaders } from '../decision/identity/agent-token.ts'
import { createCallHandler } from '../envoy/handler.ts'
import { createHttp2Transport } from '../envoy/http2/http2-server.ts'
import type { SharedMemory } from '../envoy/memory.ts'
import type { SocketSource, Transport } from '../envoy/transport.ts'
import { elapsedMs } from './by-deadline.ts'
import { createFacts } from './check-facts.ts'
import { createHandover } from './recovering.ts'
import type { Runtime } from './runtime.ts'
import type { StartContext } from './start-context.ts'
import { createCheckTracing } from './traced.ts'

/**
 * Opens a listener for Envoy, or serves connections from `socketSource`. `index` is its position in the configuration.
 */
export async function listen(
  runtime: Runtime,
  index: number,
  listener: Listener,
  { closing }: StartContext,
  memory: SharedMemory,
  socketSource?: SocketSource,
): Promise<Transport> {
  const { config, report } = runtime
  const { check, refuse } = createChecker(createShell(runtime, listener))
  const handler = createCallHandler({ check, refuse, elapsedMs, budgetMs: config.deadlineMs, report })
  const certificates = runtime.certificates[index]
  // Imported only if used: grpc-js takes 0.1 seconds and 15 MiB to load.
  const createTransport =
    listener.transport === 'lean'
      ? createHttp2Transport
      : (await import('../envoy/grpc-js/grpc-js-server.ts')).createGrpcTransport
  const transport = await createTransport(
    { ...listener, tls: certificates?.source, memory, socketSource },
    handler,
    report,
  )
  closing.push(transport)
  return transport
}

function createShell(runtime: Runtime, listener: Listener): CheckShell {
  const { config, credentials, recovery, admission, revision, shadow, record, report } = runtime
  const { tracer, pseudonymize } = runtime
  const { header } = config.chain
  const { forwardAuthorization, tokenCopies } = config.ingress
  return {
    facts: createFacts(config, listener, credentials, recovery),
    observing: config.observe,
    admission,
    headers: {
      chain: header,
      userToken: forwardAuthorization ? [] : [...tokenHeaders, ...tokenCopies],
      ids: recovery?.names ?? [],
      unusable: (received) => recovery?.unusable(received) ?? noNames,
    },
    handedOn: recovery === undefined ? () => {} : createHandover(recovery),
    ...(shadow && { onAnswered: shadow.onAnswered(listener.peer) }),
    revision,
    meet: credentials.meet,
    record,
    report,
    nowMs: Date.now,
    elapsedMs,
    createDecisionId: randomUUID,
    ...(tracer && { trace: createCheckTracing(tracer, header, pseudonymize, report) }),
  }
}

const noNames: readonly string[] = []

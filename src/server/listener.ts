import { randomUUID } from 'node:crypto'
import type { Listener } from '../config/config.ts'
import { type CheckShell, createChecker } from '../decision/check/check.ts'
import { tokenHeaders } from '../decision/identity/agent-token.ts'
import { createCallHandler } from '../envoy/handler.ts'
import { createLeanTransport } from '../envoy/http2/http2-server.ts'
import type { SharedMemory } from '../envoy/memory.ts'
import type { Handed, Transport } from '../envoy/transport.ts'
import { elapsedMs } from './by-deadline.ts'
import { createFacts } from './check-facts.ts'
import { createHandover } from './recovering.ts'
import type { House } from './runtime.ts'
import type { Opening } from './start-context.ts'
import { createCheckTracing } from './traced.ts'

/** Opens one port on which Envoy asks, or serves what is handed in from one; `index` is its place in the configuration. */
export async function listen(
  house: House,
  index: number,
  listener: Listener,
  { closing }: Opening,
  memory: SharedMemory,
  handed?: Handed,
): Promise<Transport> {
  const { config, report } = house
  const { check, refuse } = createChecker(createShell(house, listener))
  const handler = createCallHandler({ check, refuse, elapsedMs, budgetMs: config.deadlineMs, report })
  const certificates = house.certificates[index]
  // Only where it listens: grpc-js takes a tenth of a second to load, and 15 MiB.
  const createTransport =
    listener.transport === 'lean'
      ? createLeanTransport
      : (await import('../envoy/grpc-js/grpc-js-server.ts')).createGrpcTransport
  const transport = await createTransport(
    { ...listener, tls: certificates?.source, memory, handed },
    handler,
    report,
  )
  closing.push(transport)
  return transport
}

function createShell(house: House, listener: Listener): CheckShell {
  const { config, credentials, recovery, admission, revision, shadow, record, report } = house
  const { tracer, pseudonymize } = house
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
    ...(shadow && { lookAgain: shadow.lookAgain(listener.peer) }),
    revision,
    record,
    report,
    nowMs: Date.now,
    elapsedMs,
    createDecisionId: randomUUID,
    ...(tracer && { trace: createCheckTracing(tracer, header, pseudonymize, report) }),
  }
}

const noNames: readonly string[] = []

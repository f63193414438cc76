import { randomUUID } from 'node:crypto'
import { type CheckDeps, createChecker } from '../check/check.ts'
import type { Findings } from '../check/line.ts'
import type { Listener } from '../config/config.ts'
import { createCallHandler } from '../ext-authz/handler.ts'
import { createLeanTransport } from '../ext-authz/lean/lean-server.ts'
import type { Handed, Transport } from '../ext-authz/transport.ts'
import { tokenHeaders } from '../identity/agent-token.ts'
import { deny } from '../model/decision.ts'
import { byDeadline, elapsedMs } from './by-deadline.ts'
import { followCertificates } from './certificates.ts'
import type { House } from './house.ts'
import { createLineDeps } from './line-deps.ts'
import type { Opening } from './opening.ts'
import { createHandover } from './recovering.ts'
import { traceListener } from './traced.ts'

/** Opens one port on which Envoy asks, or serves what is handed in from one. */
export async function listen(
  house: House,
  listener: Listener,
  { closing, followed, pollMs }: Opening,
  handed?: Handed,
): Promise<Transport> {
  const { config, report } = house
  const tracing = house.tracer && traceListener(house.tracer, house.pseudonymize)
  const deps = createCheckDeps(house, listener)
  const { check, refuse } = createChecker(tracing?.watch(deps) ?? deps)
  const answer = createCallHandler({ check, refuse, elapsedMs, budgetMs: config.deadlineMs, report })
  const handler = tracing?.receive(answer) ?? answer
  const certificates = listener.tls && (await followCertificates(listener.tls, report, pollMs))
  if (certificates !== undefined) {
    closing.push(certificates.followed)
    followed.push(certificates.followed.poller)
  }
  // Only where it listens: grpc-js takes a tenth of a second to load, and 15 MiB.
  const createTransport =
    listener.transport === 'lean'
      ? createLeanTransport
      : (await import('../ext-authz/grpc-js-server.ts')).createGrpcTransport
  const transport = await createTransport({ ...listener, tls: certificates?.source, handed }, handler, report)
  closing.push(transport)
  return transport
}

function createCheckDeps(house: House, listener: Listener): CheckDeps {
  const { config, credentials, recovery, revision, shadow, record, report } = house
  const { header } = config.chain
  const { forwardAuthorization, tokenCopies } = config.ingress
  return {
    ...createLineDeps(config, listener, credentials, recovery),
    admission: house.admission,
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
    withinDeadline: (work, deadlineMs) => byDeadline(work, deadlineMs, noDecision),
    maxInFlight: config.maxInFlight,
  }
}

const noNames: readonly string[] = []

function noDecision(): Findings {
  return { decision: deny('deadline_exceeded', 'no decision in time') }
}

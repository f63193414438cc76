import type { Answer } from '../../src/base/model/answer.ts'
import { isDeny } from '../../src/base/model/decision.ts'
import { createCallHandler } from '../../src/envoy/handler.ts'
import { defaultCallLimits } from '../../src/envoy/limits.ts'
import { createSharedMemory } from '../../src/envoy/memory.ts'
import type { CallContext, CallHandler, Endpoint, GrpcListener } from '../../src/envoy/transport.ts'

/** A call that says nothing of itself. */
export const noContext: CallContext = { metadata: new Map(), tlsPeerUris: [], deadlineMs: undefined }

/** The settings of a plaintext listener, except its address. */
export const commonOptions: Omit<GrpcListener, 'address' | 'port' | 'path' | 'mode'> = {
  tls: undefined,
  memory: createSharedMemory(defaultCallLimits.maxTotalBytes),
  reflection: false,
  maxConcurrentStreams: 1000,
  maxConnectionAgeSeconds: 600,
  maxConnectionAgeGraceSeconds: 30,
}

/** A plaintext listener on any free port of loopback. */
export const plainListener: GrpcListener & Endpoint = { ...commonOptions, address: '127.0.0.1', port: 0 }

const allowance = { kind: 'allow', setHeaders: [], removeHeaders: [] } as const
const reference = { decisionId: 'd-1', txn: undefined, policyRevision: undefined }

/** Allows whatever can be decoded. */
export const allowing: CallHandler = createCallHandler({
  check: (input): Answer =>
    isDeny(input) ? { ...reference, kind: 'deny', code: input.code } : { ...reference, ...allowance },
  refuse: ({ code }) => ({ ...reference, kind: 'deny', code }),
  elapsedMs: () => performance.now(),
  budgetMs: 5000,
  report: () => {},
})

/** Answers with the request's own bytes; a request that cannot be read is denied. */
export const echoing: CallHandler = (request, call) =>
  request instanceof Uint8Array ? request : allowing(request, call)

/** Allows like `allowing`, and keeps what the transport knew of each call. */
export function recordingHandler(): {
  readonly contexts: readonly CallContext[]
  readonly handle: CallHandler
} {
  const contexts: CallContext[] = []
  const handle: CallHandler = (bytes, context) => {
    contexts.push(context)
    return allowing(bytes, context)
  }
  return { contexts, handle }
}

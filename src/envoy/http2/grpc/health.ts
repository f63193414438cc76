import {
  encodeMessage,
  writeEncoded,
  writeHead,
  writeText,
  writeVarint,
  written,
} from '../../codec/message-writer.ts'
import { bytesType, fieldsOf, isText, nextField, toText } from '../../codec/wire.ts'
import { grpcStatus } from '../../unary-message.ts'
import { failure, type GrpcFailure, isGrpcFailure } from './grpc-message.ts'
import type { Method } from './method.ts'

/** `grpc.health.v1.Health`, for the whole server and its one service. */
export type Health = {
  readonly check: Method
  readonly watch: Method
  readonly list: Method
  readonly setServing: (isServing: boolean) => void
}

const services: ReadonlySet<string> = new Set(['', 'envoy.service.auth.v3.Authorization'])

/** An encoded `HealthCheckResponse`; field 1 is the status. */
const serving = toStatus(1)
const notServing = toStatus(2)
const serviceUnknown = toStatus(3)

const unreadable = failure(grpcStatus.internal, 'expected a HealthCheckRequest')

/** NOT_SERVING until set. Watchers receive only changes, because the same state is set repeatedly. */
export function createHealth(): Health {
  let current = notServing
  const watchers = new Set<(status: Uint8Array) => void>()
  return {
    check: {
      kind: 'unary',
      answer: (message) => {
        const service = parseService(message)
        if (isGrpcFailure(service)) return service
        return services.has(service)
          ? current
          : failure(grpcStatus.notFound, 'expected a service of this server')
      },
    },
    watch: {
      kind: 'watch',
      watch: (message, send) => {
        const service = parseService(message)
        if (isGrpcFailure(service)) return service
        const isKnown = services.has(service)
        send(isKnown ? current : serviceUnknown)
        if (isKnown) watchers.add(send)
        return () => watchers.delete(send)
      },
    },
    list: { kind: 'unary', answer: () => toStatuses(current) },
    setServing(isServing) {
      const next = isServing ? serving : notServing
      if (next === current) return
      current = next
      for (const send of watchers) send(current)
    },
  }
}

/** Reads field 1 of `HealthCheckRequest`; the empty string means the whole server. */
function parseService(message: Uint8Array): string | GrpcFailure {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.length)
  const fields = fieldsOf(bytes, 0, bytes.length)
  let service = ''
  while (nextField(fields)) {
    const { number, wireType, start, stop } = fields
    if (number !== 1) continue
    if (wireType !== bytesType || !isText(bytes, start, stop)) return unreadable
    service = toText(bytes, start, stop)
  }
  return fields.fault === undefined ? service : unreadable
}

function toStatus(status: number): Uint8Array {
  return encodeMessage((response) => writeVarint(response, 1, status))
}

/** Encodes `HealthListResponse`: field 1 is a map from a service to its `HealthCheckResponse`. */
function toStatuses(status: Uint8Array): Uint8Array {
  return encodeMessage((response) => {
    // The writer writes backwards.
    for (const service of [...services].toReversed()) {
      const beforeEntry = written(response)
      writeEncoded(response, status)
      writeHead(response, 2, beforeEntry)
      writeText(response, 1, service)
      writeHead(response, 1, beforeEntry)
    }
  })
}

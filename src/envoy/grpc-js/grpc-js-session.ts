import type { Phase } from '../../base/http/connection-limit.ts'
import type { MemoryAccount } from '../memory.ts'

/** The state of one HTTP/2 connection in Node's server. */
export type GrpcSession = {
  readonly tlsPeerUris: readonly string[]
  readonly memory: MemoryAccount
  readonly openedMs: number
  /** True if the client has sent its SETTINGS and acknowledged ours. */
  hasSettings: boolean
  hasAcknowledged: boolean
  /** The number of Checks in progress. */
  deciding: number
  hasAnswered: boolean
  readonly destroy: () => void
}

/** Returns the phase of a connection. An incomplete request does not protect its connection from eviction. */
export function phaseOf({ deciding, hasAnswered }: GrpcSession): Phase {
  if (deciding > 0) return 'busy'
  return hasAnswered ? 'idle' : 'unfinished'
}

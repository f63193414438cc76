import type { Phase } from '../../base/http/connection-limit.ts'
import type { MemoryAccount } from '../memory.ts'

/** What is known of one HTTP/2 connection that Node serves. */
export type GrpcSession = {
  readonly tlsPeerUris: readonly string[]
  readonly memory: MemoryAccount
  readonly openedMs: number
  /** Its client has sent its SETTINGS, and acknowledged ours. */
  hasSettings: boolean
  hasAcknowledged: boolean
  /** Checks that are being decided. */
  deciding: number
  hasAnswered: boolean
  readonly destroy: () => void
}

/** What its connection does. A request that is not whole keeps no connection that another one needs. */
export function phaseOf({ deciding, hasAnswered }: GrpcSession): Phase {
  if (deciding > 0) return 'busy'
  return hasAnswered ? 'idle' : 'unfinished'
}

import type { Report } from '../../base/model/event.ts'

/** The record could not be written: no record, no allow. */
export class AuditUnavailable extends Error {
  override readonly name = 'AuditUnavailable'
  readonly code = 'audit_unavailable'
}

/** While records cannot be written. It is told of once, and lasts until the reserve is whole again. */
export class Outage {
  readonly #report: Report
  #failedBytes = 0
  #isTold = false

  constructor(report: Report) {
    this.#report = report
  }

  /** How many bytes could not be written last; 0 when all is well. */
  get failedBytes(): number {
    return this.#failedBytes
  }

  /** Begins or goes on; throws `AuditUnavailable`. */
  fail(cause: unknown, bytes: number): never {
    this.#failedBytes = bytes
    const error = new AuditUnavailable('the record could not be written', { cause })
    if (!this.#isTold) this.#report({ kind: 'fault', where: 'audit', cause: error })
    this.#isTold = true
    throw error
  }

  /** A record has been written. */
  recover(isReserveWhole: boolean): void {
    this.#failedBytes = 0
    if (isReserveWhole) this.#isTold = false
  }
}

import type { Report } from '../../base/model/event.ts'

/** The record could not be written, so there is no allow. */
export class AuditUnavailable extends Error {
  override readonly name = 'AuditUnavailable'
  readonly code = 'audit_unavailable'
}

/** An outage of the log. It is reported once, and lasts until the reserve is full again. */
export class Outage {
  readonly #report: Report
  #failedBytes = 0
  #isTold = false

  constructor(report: Report) {
    this.#report = report
  }

  /** The size of the last failed write in bytes; 0 without an outage. */
  get failedBytes(): number {
    return this.#failedBytes
  }

  /** Starts or continues the outage; throws `AuditUnavailable`. */
  fail(cause: unknown, bytes: number): never {
    this.#failedBytes = bytes
    const error = new AuditUnavailable('the record could not be written', { cause })
    if (!this.#isTold) this.#report({ kind: 'fault', where: 'audit', cause: error })
    this.#isTold = true
    throw error
  }

  /** Called after a successful write; ends the outage if the reserve is full. */
  recover(isReserveWhole: boolean): void {
    this.#failedBytes = 0
    if (isReserveWhole) this.#isTold = false
  }
}

/** Refusals are recorded and not carried out until then, for all services or for some. */
export type Observing = {
  /** Milliseconds since the epoch. */
  readonly untilMs: number
  readonly services?: readonly string[] | undefined
}

/** Whether a refusal about this service, `undefined` when it is not known, is recorded only. */
export function isObserved(
  observing: Observing | undefined,
  service: string | undefined,
  nowMs: number,
): boolean {
  if (observing === undefined || nowMs >= observing.untilMs) return false
  // While only some services are observed, a request whose service is not known is refused like any other.
  return observing.services === undefined || (service !== undefined && observing.services.includes(service))
}

/** Until `untilMs` refusals are recorded and not enforced, for all services or for some. */
export type Observing = {
  /** Milliseconds since the epoch. */
  readonly untilMs: number
  readonly services?: readonly string[] | undefined
}

/** True if a refusal for this service is only recorded. `service` is `undefined` if it is unknown. */
export function isObserved(
  observing: Observing | undefined,
  service: string | undefined,
  nowMs: number,
): boolean {
  if (observing === undefined || nowMs >= observing.untilMs) return false
  // If only some services are observed, a request to an unknown service is refused as usual.
  return observing.services === undefined || (service !== undefined && observing.services.includes(service))
}

/** Milliseconds for each unit of `grpc-timeout`. */
const unitMs: ReadonlyMap<string, number> = new Map([
  ['H', 3_600_000],
  ['M', 60_000],
  ['S', 1000],
  ['m', 1],
  ['u', 1e-3],
  ['n', 1e-6],
])

/** Parses `grpc-timeout` (at most eight digits and a unit) into milliseconds; `undefined` if it is invalid. */
export function parseGrpcTimeout(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? []
  const factor = unitMs.get(unit ?? '')
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor
}

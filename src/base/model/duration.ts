import { type Invalid, invalid } from './invalid.ts'

const unitMs: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

/** Parses a duration as configuration files write it (`150ms`, `30s`, `5m`, `1h`, `7d`) into milliseconds. */
export function parseDurationMs(text: string): number | Invalid {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? []
  const scale = unitMs.get(unit ?? '')
  if (digits === undefined || scale === undefined) {
    return invalid(`expected a duration such as \`150ms\`, \`30s\`, \`5m\` or \`1h\`, found \`${text}\``)
  }
  return Number(digits) * scale
}

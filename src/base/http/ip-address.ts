import { type Invalid, invalid, isInvalid } from '../model/invalid.ts'

declare const proven: unique symbol

/**
 * An IP address in canonical form: IPv4 as four decimal numbers, IPv6 as in RFC 5952, and an IPv4-mapped IPv6 address as
 * IPv4. Two addresses are equal if their texts are.
 */
export type IpAddress = string & { readonly [proven]: 'IpAddress' }

/** Parses an IP address without brackets. It refuses ambiguous spellings such as `010.0.0.1`. */
export function parseIp(text: string): IpAddress | Invalid {
  // The brand exists only for the compiler. Only this parser may assign it.
  if (!text.includes(':')) return ip4.test(text) ? (text as IpAddress) : invalid(toIp4Problem(text))
  const groups = toGroups(text)
  if (groups !== undefined) return formatGroups(groups) as IpAddress
  return invalid(
    text.includes('%')
      ? 'expected an IP address without a zone such as `%eth0`'
      : 'expected IPv6, such as `fd00::1` or `::ffff:10.0.0.1`',
  )
}

/** Returns an IP address in canonical form. Any other text is unchanged. */
export function toCanonicalIp(text: string): string {
  const ip = parseIp(text)
  return isInvalid(ip) ? text : ip
}

const byte = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
const ip4 = new RegExp(String.raw`^${byte}(?:\.${byte}){3}$`)
const groupCount = 8

function toIp4Problem(text: string): string {
  const [, padded] = /(?:^|\.)(0[0-9]+)(?:\.|$)/.exec(text) ?? []
  return padded === undefined
    ? 'expected an IPv4 address of four decimal numbers from 0 to 255, such as `10.96.0.11`'
    : `\`${padded}\` begins with 0, which some read as octal; write a decimal number without it`
}

/** Returns the eight groups of 16 bits; `undefined` if the text is no IPv6 address (RFC 4291 §2.2). */
function toGroups(text: string): readonly number[] | undefined {
  const [head = '', tail, ...more] = text.split('::')
  if (more.length > 0) return undefined
  const before = parseGroups(head, tail === undefined)
  const after = parseGroups(tail ?? '', true)
  if (before === undefined || after === undefined) return undefined
  const missing = groupCount - before.length - after.length
  if (tail === undefined) return missing === 0 ? before : undefined
  return missing > 0 ? [...before, ...new Array<number>(missing).fill(0), ...after] : undefined
}

/** Parses groups between `:`. At the end of an address the last two may be written as IPv4. */
function parseGroups(text: string, isEnd: boolean): readonly number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const last = parts.at(-1) ?? ''
  const dotted = isEnd && ip4.test(last) ? last.split('.').map(Number) : undefined
  const groups = (dotted === undefined ? parts : parts.slice(0, -1)).map((part) =>
    /^[0-9a-f]{1,4}$/i.test(part) ? Number.parseInt(part, 16) : Number.NaN,
  )
  if (groups.includes(Number.NaN)) return undefined
  const [a = 0, b = 0, c = 0, d = 0] = dotted ?? []
  return dotted === undefined ? groups : [...groups, a * 256 + b, c * 256 + d]
}

function formatGroups(groups: readonly number[]): string {
  const [, , , , , marker = 0, high = 0, low = 0] = groups
  if (marker === 0xffff && groups.slice(0, 5).every((group) => group === 0))
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
  const zeros = longestZeros(groups)
  const texts = groups.map((group) => group.toString(16))
  if (zeros === undefined) return texts.join(':')
  return `${texts.slice(0, zeros.start).join(':')}::${texts.slice(zeros.stop).join(':')}`
}

/** Finds the first of the longest runs of at least two zero groups (RFC 5952 §4.2). */
function longestZeros(
  groups: readonly number[],
): { readonly start: number; readonly stop: number } | undefined {
  let longest: { readonly start: number; readonly stop: number } | undefined
  for (let start = 0; start < groups.length; start++) {
    let stop = start
    while (groups[stop] === 0) stop++
    const length = stop - start
    if (length > 1 && length > (longest === undefined ? 0 : longest.stop - longest.start))
      longest = { start, stop }
  }
  return longest
}

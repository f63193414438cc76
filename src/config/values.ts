import { isIP } from 'node:net'
import { inspect } from 'node:util'
import * as v from 'valibot'
import { parseDurationMs } from '../model/duration.ts'
import { type Invalid, invalid, isInvalid } from '../model/invalid.ts'
import { toCanonicalIp } from '../model/ip-address.ts'
import { issuerNamePattern } from '../model/issuer-name.ts'
import { nearestName } from '../model/near-name.ts'

/** A schema for one value of the configuration, with messages that say what was expected, then what was found. */
export type Value<T> = v.GenericSchema<unknown, T>

/** An `IP:port` to listen on. Port 0 lets the system choose. */
export type Endpoint = { readonly address: string; readonly port: number }

/** An absolute path of a Unix socket to listen on. */
export type SocketPath = { readonly path: string }

/** Text that is not empty. */
export const text: Value<string> = v.pipe(
  v.string((issue) => `expected text, found ${show(issue.input)}`),
  v.nonEmpty('expected text, found nothing'),
)

/** True or false. */
export const flag: Value<boolean> = v.boolean((issue) => `expected true or false, found ${show(issue.input)}`)

/** An https URL that can stand as an issuer: no query, fragment or user (RFC 8414 §2). */
export const httpsUrl: Value<string> = v.pipe(
  v.string((issue) => `expected an https URL, found ${show(issue.input)}`),
  v.check(
    (url) => /^https:\/\/[^\s?#@\\]+$/.test(url) && URL.canParse(url),
    (issue) => `expected an https URL without query, fragment or user, found ${showUrl(issue.input)}`,
  ),
)

/** A header name as HTTP/2 writes it. */
export const headerName: Value<string> = matching(/^[a-z0-9!#$%&'*+.^_`|~-]+$/, 'a header name in lower case')

/** A name that stands before `/` in the ids of users and groups. */
export const userName: Value<string> = matching(
  issuerNamePattern,
  'up to 63 lower-case letters, digits and `-`',
)

/** A day as ISO 8601 writes it, as the moment at which it begins in UTC; milliseconds since the epoch. */
export const day: Value<{ readonly startsAtMs: number }> = parsed((input) => {
  const startsAtMs = /^\d{4}-\d{2}-\d{2}$/.test(input) ? Date.parse(input) : Number.NaN
  return Number.isNaN(startsAtMs)
    ? invalid(`expected a day such as \`2027-01-31\`, found ${show(input)}`)
    : { startsAtMs }
}, '2027-01-31')

/** Text of a certain form. */
export function matching(pattern: RegExp, expected: string): Value<string> {
  const message = (issue: v.BaseIssue<unknown>): string => `expected ${expected}, found ${show(issue.input)}`
  return v.pipe(v.string(message), v.regex(pattern, message))
}

/** A list of such items. */
export function list<T>(item: Value<T>): Value<T[]> {
  return v.array(item, (issue) => `expected a list, found ${show(issue.input)}`)
}

/** One of a few words. */
export function choice<const T extends string>(...options: readonly T[]): Value<T> {
  return v.picklist(
    options,
    (issue) => `expected ${options.map(show).join(' or ')}, found ${show(issue.input)}`,
  )
}

/** A whole number within bounds, both included. */
export function integer(least: number, most: number): Value<number> {
  const message = (issue: v.BaseIssue<unknown>): string =>
    `expected a whole number from ${least} to ${most}, found ${show(issue.input)}`
  return v.pipe(v.number(message), v.integer(message), v.minValue(least, message), v.maxValue(most, message))
}

/** A part of the whole, from 0 to 1. */
export const share: Value<number> = (() => {
  const message = (issue: v.BaseIssue<unknown>): string =>
    `expected a number from 0 to 1, found ${show(issue.input)}`
  return v.pipe(v.number(message), v.minValue(0, message), v.maxValue(1, message))
})()

/** A part of the whole that is not nothing. */
export const someShare: Value<number> = v.pipe(
  share,
  v.check(
    (part) => part > 0,
    (issue) => `expected a number above 0 and at most 1, found ${show(issue.input)}`,
  ),
)

/** A duration with its unit, within bounds, as milliseconds. */
export function duration(least: string, most: string): Value<number> {
  const [leastMs, mostMs] = [parseDurationMs(least), parseDurationMs(most)]
  return parsed((input) => {
    const ms = parseDurationMs(input)
    if (typeof ms !== 'number' || (ms >= Number(leastMs) && ms <= Number(mostMs))) return ms
    return invalid(`expected a duration from ${least} to ${most}, found ${show(input)}`)
  }, '5m')
}

/** A size with its unit, within bounds, as bytes. */
export function size(least: string, most: string): Value<number> {
  const [leastBytes, mostBytes] = [parseSizeBytes(least), parseSizeBytes(most)]
  return parsed((input) => {
    const bytes = parseSizeBytes(input)
    if (typeof bytes !== 'number' || (bytes >= Number(leastBytes) && bytes <= Number(mostBytes))) return bytes
    return invalid(`expected a size from ${least} to ${most}, found ${show(input)}`)
  }, '64MiB')
}

/** Text that one of our parsers turns into a precise type. */
export function parsed<T>(parse: (input: string) => T | Invalid, example: string): Value<T> {
  return v.pipe(
    v.string((issue) => `expected text such as ${show(example)}, found ${show(issue.input)}`),
    v.examples([example]),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const value = parse(dataset.value)
      if (!isRefusal(value)) return value
      addIssue({ message: value.reason })
      return NEVER
    }),
  )
}

/** Parses `127.0.0.1:9191`, `0.0.0.0:9191` or `[::1]:9191`, in any spelling. A name is refused: it could come to mean another interface. */
export function parseEndpoint(input: string): Endpoint | Invalid {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(input) ?? []
  const address = bracketed ?? plain ?? ''
  const port = Number(digits)
  // A link-local address has a zone here, since it names an interface; `isIP` takes one.
  if (isIP(address) === (bracketed === undefined ? 4 : 6) && port <= 65_535)
    return { address: toCanonicalIp(address), port }
  return invalid(`expected IP:port such as \`127.0.0.1:9191\` or \`[::1]:9191\`, found ${show(input)}`)
}

/** Above this, a socket's address has no room for the path with what we add to it (unix(7); the least of all systems). */
const longestSocketPath = 90

/** Parses what a listener listens on: `IP:port`, or a Unix socket as gRPC writes it, `unix:///run/waywarden/ext-authz.sock`. */
export function parseListenAddress(input: string): Endpoint | SocketPath | Invalid {
  if (!input.startsWith('unix:')) return parseEndpoint(input)
  const [, path] = /^unix:\/\/((?:\/[\w.@+-]+)+)$/.exec(input) ?? []
  if (path !== undefined && path.length <= longestSocketPath) return { path }
  return invalid(
    `expected \`unix://\` and an absolute path of up to ${longestSocketPath} letters, digits and \`/._@+-\`, found ${show(input)}`,
  )
}

/** Parses a size (`512B`, `4KiB`, `64MiB`, `1GiB`) into bytes. */
export function parseSizeBytes(input: string): number | Invalid {
  const [, digits, unit] = /^(\d{1,6})(B|KiB|MiB|GiB)$/.exec(input) ?? []
  const power = ['B', 'KiB', 'MiB', 'GiB'].indexOf(unit ?? '')
  if (digits === undefined || power === -1)
    return invalid(`expected a size such as \`4KiB\` or \`64MiB\`, found ${show(input)}`)
  return Number(digits) * 1024 ** power
}

/** Whether only this machine can reach the address. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}

/** What a value looks like, for a message. Configuration holds no secrets, only paths to them. */
export function show(value: unknown): string {
  const shown =
    typeof value === 'string' ? value : inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY })
  return `\`${shown.length > 80 ? `${shown.slice(0, 80)}…` : shown}\``
}

/** A URL without the parts that may hold a password or a key. */
function showUrl(url: string): string {
  return show(url.replace(/\/\/.*@.*/s, '//…').replace(/[?#].*/s, '…'))
}

/** What to do about an unknown name. */
export function hintFor(unknown: string, known: readonly string[]): string {
  const nearest = nearestName(unknown, known)
  return nearest === undefined ? `known here: ${known.join(', ')}` : `did you mean ${show(nearest)}?`
}

function isRefusal<T>(value: T | Invalid): value is Invalid {
  return typeof value === 'object' && value !== null && isInvalid(value)
}

import { type Invalid, invalid, isInvalid } from '../model/invalid.ts'
import { parseIp, toCanonicalIp } from './ip-address.ts'

/** A host and a port in canonical form. Two addresses are equal if their `text` is. */
export type Address = {
  /** `host:port`; an IPv6 host in brackets. */
  readonly text: string
  /** A lower-case name without final dot, or an IP address without brackets. */
  readonly host: string
  readonly port: number
  readonly isIp: boolean
}

/** Parses `name:port`, `IPv4:port` or `[IPv6]:port`, in any unambiguous spelling. */
export function parseAddress(text: string): Address | Invalid {
  const [, bracketed, plain = '', digits = ''] = /^(?:\[([^\]]*)\]|([^:[\]]+)):([0-9]+)$/.exec(text) ?? []
  const refuse = (reason: string) => invalid(`address \`${text}\`: ${reason}`)
  if (digits === '') return refuse(toFormProblem(text))
  const port = Number(digits)
  if (port < 1 || port > maxPort) return refuse(`expected a port from 1 to ${maxPort}, found \`${digits}\``)
  if (bracketed !== undefined && !bracketed.includes(':')) return refuse('only IPv6 is written in brackets')
  const isIp = bracketed !== undefined || isMeantForIp4(plain)
  const host = isIp ? parseIp(bracketed ?? plain) : parseName(plain)
  if (isInvalid(host)) return refuse(host.reason)
  return { text: join(host, port), host, port, isIp }
}

/** Formats `host:port`, with a canonical IPv6 host in brackets. Any other host is unchanged. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? join(toCanonicalIp(host), port) : `${host}:${port}`
}

/** Returns `host:port` in canonical form. A text that is no address is unchanged. */
export function toCanonicalAddress(text: string): string {
  const address = parseAddress(text)
  return isInvalid(address) ? text : address.text
}

/** Returns a host name in canonical form. A text that is no name is unchanged. */
export function toCanonicalName(text: string): string {
  const name = parseName(text)
  return isInvalid(name) ? text : name
}

const maxPort = 65_535
const label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i

/** As in URLs, a host whose last label is a number must be IPv4 (WHATWG URL, "ends in a number"). */
function isMeantForIp4(host: string): boolean {
  return /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.?$/i.test(host)
}

/** Without a final dot, because the names of a catalog are absolute. */
function parseName(text: string): string | Invalid {
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  if (name.split('.').every((part) => label.test(part))) return name.toLowerCase()
  return invalid(
    'expected a name of letters, digits, `-` and `.`; an international name is written in ASCII, as `xn--…`',
  )
}

function toFormProblem(text: string): string {
  if (/^[0-9a-f]*:[0-9a-f.]*:[0-9a-f:.]*$/i.test(text))
    return 'IPv6 needs brackets before a port, such as `[fd00::1]:8080`'
  if (!text.includes(':') || text.endsWith(']')) return `expected a port, such as \`${text}:8080\``
  return 'expected `name:port` or `IP:port`, such as `10.96.0.11:8080`'
}

function join(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

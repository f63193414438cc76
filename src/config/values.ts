import { isIP } from 'node:net'
import { checked, matching, parsed, type Value } from '../base/document/values.ts'
import { toCanonicalIp } from '../base/http/ip-address.ts'
import { type Invalid, invalid } from '../base/model/invalid.ts'
import { issuerNamePattern } from '../base/text/issuer-name.ts'
import { show } from '../base/text/show.ts'

/** An `IP:port` to listen on. Port 0 lets the kernel choose. */
export type Endpoint = { readonly address: string; readonly port: number; readonly path?: undefined }

/** An absolute path of a Unix socket to listen on. */
export type SocketPath = { readonly path: string; readonly address?: undefined; readonly port?: undefined }

/** An https URL that is valid as an issuer: no query, fragment or user (RFC 8414 §2). */
export const httpsUrl: Value<string> = checked(refuseUrl)

/** An https origin: scheme, host, and port if it is another than 443. */
export const httpsOrigin: Value<string> = checked((input) =>
  URL.canParse(input) && new URL(input).origin === input && input.startsWith('https://')
    ? undefined
    : invalid(`expected an https origin such as \`https://keys.example\`, found ${showUrl(input)}`),
)

/** A path on this machine. Many users try a URL first, so the message names the way from one to a file. */
export function filePath(remedy: (url: string) => string = () => 'name a file or directory'): Value<string> {
  return checked((input) => {
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(input)) return undefined
    const path = input.toLowerCase().startsWith('file://')
      ? `; write \`${input.slice('file://'.length)}\``
      : ''
    return invalid(
      `expected a path of this machine, found the URL ${showUrl(input)}${path || `; ${remedy(input)}`}`,
    )
  })
}

/** A header name in HTTP/2 form. */
export const headerName: Value<string> = matching(/^[a-z0-9!#$%&'*+.^_`|~-]+$/, 'a header name in lower case')

/** A name that precedes `/` in the ids of users and groups. */
export const userName: Value<string> = matching(
  issuerNamePattern,
  'up to 63 lower-case letters, digits and `-`',
)

/** A day in ISO 8601; its value is the start of the day in UTC, in milliseconds since the epoch. */
export const day: Value<{ readonly startsAtMs: number }> = parsed((input) => {
  const startsAtMs = /^\d{4}-\d{2}-\d{2}$/.test(input) ? Date.parse(input) : Number.NaN
  return Number.isNaN(startsAtMs)
    ? invalid(`expected a day such as \`2027-01-31\`, found ${show(input)}`)
    : { startsAtMs }
}, '2027-01-31')

/**
 * Parses `127.0.0.1:9191`, `0.0.0.0:9191` or `[::1]:9191`, in any spelling. Names are refused, because a name can later
 * resolve to another interface.
 */
export function parseEndpoint(input: string): Endpoint | Invalid {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(input) ?? []
  const address = bracketed ?? plain ?? ''
  const port = Number(digits)
  // A link-local address may have a zone here, because it names an interface; `isIP` accepts one.
  if (isIP(address) === (bracketed === undefined ? 4 : 6) && port <= 65_535)
    return { address: toCanonicalIp(address), port }
  return invalid(`expected IP:port such as \`127.0.0.1:9191\` or \`[::1]:9191\`, found ${show(input)}`)
}

/**
 * A longer path, with the suffix that Waywarden adds, exceeds the limit for socket addresses (unix(7); the smallest of
 * all systems).
 */
const longestSocketPath = 90

/** Parses a listener's address: `IP:port`, or a Unix socket as gRPC writes it, `unix:///run/waywarden/ext-authz.sock`. */
export function parseListenAddress(input: string): Endpoint | SocketPath | Invalid {
  if (!input.startsWith('unix:')) return parseEndpoint(input)
  const [, path] = /^unix:\/\/((?:\/[\w.@+-]+)+)$/.exec(input) ?? []
  if (path !== undefined && path.length <= longestSocketPath) return { path }
  return invalid(
    `expected \`unix://\` and an absolute path of up to ${longestSocketPath} letters, digits and \`/._@+-\`, found ${show(input)}`,
  )
}

function refuseUrl(input: string): Invalid | undefined {
  if (/^https:\/\/[^\s?#@\\]+$/.test(input) && URL.canParse(input)) return undefined
  return invalid(`expected an https URL without query, fragment or user, found ${showUrl(input)}`)
}

/** Formats a URL without the parts that may contain a password or a key. */
function showUrl(url: string): string {
  return show(url.replace(/\/\/.*@.*/s, '//…').replace(/[?#].*/s, '…'))
}

import * as v from 'valibot'
import type { ParsedDocument } from '../../base/document/parse-document.ts'
import { type Problem, parseYaml } from '../../base/document/problem.ts'
import type { SchemaNode } from '../../base/document/schema.ts'
import { about, duration, flag, list, matching, parsed, someOf } from '../../base/document/values.ts'
import { type Address, parseAddress } from '../../base/http/address.ts'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import type { Problems } from '../../base/model/problems.ts'
import { parseSpiffeId, type SpiffeId } from '../../base/model/spiffe-id.ts'
import { show } from '../../base/text/show.ts'
import { parseResourceTemplate, type ResourceTemplate } from './resource-template.ts'
import { parseRoute, type Route } from './route.ts'

/** One route entry of services.yaml, with parsed parts. */
export type RouteEntry = {
  readonly match: Route
  readonly action: string
  readonly resource?: ResourceTemplate | undefined
  readonly scope?: string | undefined
  readonly stream: boolean
}

/** An address, and its text in services.yaml. */
export type WrittenAddress = Address & { readonly written: string }

/** One entry of services.yaml, with parsed parts. */
export type ServiceEntry = {
  readonly name: string
  readonly owner?: string | undefined
  readonly addresses: readonly WrittenAddress[]
  readonly spiffeId: SpiffeId
  readonly waypoint: SpiffeId
  readonly chainless: readonly SpiffeId[]
  /** True, or an object: a first chain may be minted for it. */
  readonly entry: boolean | EntryOptions
  readonly forwards: boolean
  /** Milliseconds. */
  readonly hopLifetime?: number | undefined
  readonly scopes?: readonly string[] | undefined
  readonly shared?: string | undefined
  readonly rawPaths: boolean
  readonly tcp: boolean
  readonly caseSensitive: boolean
  readonly removeHeaders: readonly string[]
  readonly routes?: readonly RouteEntry[] | undefined
}

/** How a service receives first hops. */
export type EntryOptions = { readonly forwardAuthorization: boolean }

/** The form of a service's name, which is also the id of its entity. */
export const serviceNamePattern: RegExp = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/
const text = matching(/^.{1,256}$/s, 'text of at most 256 characters')
const address = parsed(parseWrittenAddress, '10.96.0.11:8080')
// These headers frame the message, carry `:authority`, or upgrade the connection.
const unremovable: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
const spiffeId = parsed(parseSpiffeId, 'spiffe://hospital.example/ns/billing/sa/agent-a')

const route = v.strictObject({
  match: about(parsed(parseRoute, 'GET /patients/{patientId}'), 'a method and a path, such as `GET /tasks`'),
  action: about(text, 'the name of the action in the schema'),
  resource: v.optional(parsed(parseResourceTemplate, 'Patient::{patientId}')),
  scope: v.optional(text),
  stream: v.optional(flag, false),
})

const entryOptions = v.strictObject({
  forwardAuthorization: about(v.optional(flag, false), 'leave the token of the user on its first hops'),
})

const service = v.strictObject({
  name: about(
    matching(serviceNamePattern, 'lower-case letters, digits, `-` and `.`, such as `patient-records`'),
    'the id of `Service::"…"`',
  ),
  owner: v.optional(text),
  addresses: about(
    someOf(address, 'a list of at least one address, such as `[10.96.0.11:8080]`'),
    'where clients reach it: a list of `name:port` and `IP:port`',
  ),
  spiffeId: about(spiffeId, 'the SPIFFE ID of the service'),
  waypoint: about(spiffeId, 'the SPIFFE ID of the proxy that vouches for its callers'),
  chainless: v.optional(list(spiffeId), []),
  entry: v.optional(
    about(
      v.union([flag, entryOptions]),
      '`true` if a chain may begin here, or `{forwardAuthorization: true}`',
    ),
    false,
  ),
  forwards: v.optional(flag, false),
  hopLifetime: v.optional(duration('1s', '36500d')),
  scopes: v.optional(list(text)),
  shared: v.optional(text),
  rawPaths: v.optional(flag, false),
  tcp: v.optional(flag, false),
  caseSensitive: v.optional(flag, false),
  removeHeaders: v.optional(list(parsed(parseRemovable, 'x-tenant')), []),
  routes: v.optional(someOf(route, 'at least one route')),
})

const services = v.strictObject({
  services: about(list(service), 'the services that may be asked about; `[]` while there is none'),
})

const servicesSchema: v.GenericSchema<unknown, { readonly services: readonly ServiceEntry[] }> & SchemaNode =
  services

/** Parses services.yaml entry by entry. Unknown keys are refused; every problem is reported at once. */
export function parseServices(
  file: string,
  text: string,
): ParsedDocument<{ readonly services: readonly ServiceEntry[] }> | Problems<Problem> {
  return parseYaml(file, text, servicesSchema)
}

function parseWrittenAddress(written: string): WrittenAddress | Invalid {
  const address = parseAddress(written)
  return isInvalid(address) ? address : { ...address, written }
}

function parseRemovable(written: string): string | Invalid {
  const header = written.toLowerCase()
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(header))
    return invalid(`expected the name of a header, such as \`x-tenant\`, found ${show(written)}`)
  if (!unremovable.has(header)) return header
  return invalid(`${show(written)}: Envoy needs this header to send the request on; take it off the list`)
}

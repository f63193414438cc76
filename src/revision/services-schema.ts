import * as v from 'valibot'
import { type Address, parseAddress } from '../model/address.ts'
import { parseDurationMs } from '../model/duration.ts'
import { type Invalid, isInvalid } from '../model/invalid.ts'
import { parseSpiffeId, type SpiffeId } from '../model/spiffe-id.ts'
import type { Problem } from './problem.ts'
import { parseResourceTemplate, type ResourceTemplate } from './resource-template.ts'
import { parseRoute, type Route } from './route.ts'
import { parseYaml, type YamlValue } from './yaml-document.ts'

/** One route entry of services.yaml, its parts parsed. */
export type RouteEntry = {
  readonly match: Route
  readonly action: string
  readonly resource?: ResourceTemplate | undefined
  readonly scope?: string | undefined
  readonly stream: boolean
}

/** An address, and how services.yaml writes it. */
export type WrittenAddress = Address & { readonly written: string }

/** One entry of services.yaml, its parts parsed. */
export type ServiceEntry = {
  readonly name: string
  readonly owner?: string | undefined
  readonly addresses: readonly WrittenAddress[]
  readonly spiffeId: SpiffeId
  readonly waypoint: SpiffeId
  readonly chainless: readonly SpiffeId[]
  readonly entry: boolean
  readonly forwards: boolean
  readonly hopLifetime?: { readonly ms: number } | undefined
  readonly scopes?: readonly string[] | undefined
  readonly shared?: string | undefined
  readonly rawPaths: boolean
  readonly caseSensitive: boolean
  readonly removeHeaders: readonly string[]
  readonly routes?: readonly RouteEntry[] | undefined
}

const text = v.pipe(
  v.string(),
  v.nonEmpty('expected text'),
  v.maxLength(256, 'expected at most 256 characters'),
)
/** The form of a service's name, which is the id of its entity. */
export const serviceNamePattern: RegExp = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/
const name = v.pipe(
  v.string(),
  v.regex(serviceNamePattern, 'expected lower-case letters, digits, `-` and `.`'),
)
const address = parsedBy<WrittenAddress>((written) => {
  const parsed = parseAddress(written)
  return isInvalid(parsed) ? parsed : { ...parsed, written }
})
// They frame the message, carry `:authority`, or upgrade the connection.
const unremovable: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
const spiffeId = parsedBy<SpiffeId>(parseSpiffeId)
const lifetime = parsedBy<{ readonly ms: number }>((value) => {
  const ms = parseDurationMs(value)
  return typeof ms === 'number' ? { ms } : ms
})

const removableHeader = v.pipe(
  v.string(),
  v.transform((written) => written.toLowerCase()),
  v.regex(/^[!#$%&'*+.^_`|~0-9a-z-]+$/, 'expected the name of a header, such as `x-tenant`'),
  v.check(
    (header) => !unremovable.has(header),
    'Envoy needs this header to send the request on; take it off the list',
  ),
)

const routeSchema = v.strictObject({
  match: parsedBy<Route>(parseRoute),
  action: text,
  resource: v.optional(parsedBy<ResourceTemplate>(parseResourceTemplate)),
  scope: v.optional(text),
  stream: v.optional(v.boolean(), false),
})

const serviceSchema = v.strictObject({
  name,
  owner: v.optional(text),
  addresses: v.pipe(v.array(address), v.nonEmpty('expected at least one address')),
  spiffeId,
  waypoint: spiffeId,
  chainless: v.optional(v.array(spiffeId), []),
  entry: v.optional(v.boolean(), false),
  forwards: v.optional(v.boolean(), false),
  hopLifetime: v.optional(lifetime),
  scopes: v.optional(v.array(text)),
  shared: v.optional(text),
  rawPaths: v.optional(v.boolean(), false),
  caseSensitive: v.optional(v.boolean(), false),
  removeHeaders: v.optional(v.array(removableHeader), []),
  routes: v.optional(v.pipe(v.array(routeSchema), v.nonEmpty('expected at least one route'))),
})

const servicesSchema = v.strictObject({ services: v.array(serviceSchema) })

/** Parses services.yaml entry by entry; unknown keys are refused, every problem is reported at once. */
export function parseServices(
  file: string,
  text: string,
): YamlValue<{ readonly services: readonly ServiceEntry[] }> | readonly Problem[] {
  return parseYaml(file, text, servicesSchema)
}

function parsedBy<T extends object>(parse: (value: string) => T | Invalid): v.GenericSchema<string, T> {
  return v.pipe(
    v.string(),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const value = parse(dataset.value)
      if (!isInvalid(value)) return value
      addIssue({ message: value.reason })
      return NEVER
    }),
  )
}

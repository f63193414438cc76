/** Header or gRPC metadata values by lower-case name, in the order received. A `Map`, so that no name can touch a prototype. */
export type Headers = ReadonlyMap<string, readonly string[]> & {
  /** The names that `isOddName` finds, if the decoder has already looked for them. */
  readonly oddNames?: readonly string[]
}

/** What Envoy asks, as plain values: the typed content of one CheckRequest and of the gRPC call that carried it. */
export type CheckInput = {
  /** `attributes.source.principal`; the empty string at a waypoint. */
  readonly sourcePrincipal: string
  /** Where the request is going, `IP:port`: at a waypoint the VIP that the client's ztunnel asked for. Never from `Host`. */
  readonly destinationAddress: string
  readonly method: string
  /** The request target as Envoy forwards it, query included. */
  readonly path: string
  readonly host: string
  /** Request headers; a name that came several times has several values, or one with Envoy's `,`. */
  readonly headers: Headers
  /** Metadata of the Check call itself, which no client of the mesh can reach. */
  readonly metadata: Headers
  /** URI SANs of the certificate that Envoy proved to us, when the listener asks for one. */
  readonly tlsPeerUris: readonly string[]
}

/** The value of a header that must not be repeated: `undefined` when absent, `'repeated'` when it came more than once. */
export function singleHeader(
  headers: Headers,
  name: string,
): { readonly value: string } | 'repeated' | undefined {
  const values = headers.get(name)
  if (values === undefined || values.length === 0) return undefined
  const [value] = values
  return values.length > 1 || value === undefined ? 'repeated' : { value }
}

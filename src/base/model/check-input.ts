/**
 * Header or gRPC metadata values by lower-case name, in the order received. It is a `Map`, so that no name can reach a
 * prototype.
 */
export type Headers = ReadonlyMap<string, readonly string[]> & {
  /** The names that `isOddName` finds, if the decoder has already computed them. */
  readonly oddNames?: readonly string[]
}

/** Envoy's question as plain values: the content of one CheckRequest and of its gRPC call. */
export type CheckInput = {
  /** `attributes.source.principal`; the empty string at a waypoint. */
  readonly sourcePrincipal: string
  /**
   * The destination of the request, `IP:port`. At a waypoint it is the VIP that the client's ztunnel requested. Never
   * from `Host`.
   */
  readonly destinationAddress: string
  /** Empty for a connection without HTTP, such as a database's. It has no path, host or headers either. */
  readonly method: string
  /** The request target as Envoy forwards it, query included. */
  readonly path: string
  readonly host: string
  /** Request headers. A repeated name has several values, or one with Envoy's `,`. */
  readonly headers: Headers
  /** Metadata of the Check call itself. No client of the mesh can set it. */
  readonly metadata: Headers
  /** URI SANs of Envoy's client certificate, if the listener requests one. */
  readonly tlsPeerUris: readonly string[]
}

/**
 * Returns whether Envoy asks about a whole connection that carries no HTTP. INVARIANT: every HTTP request that is
 * decoded has a method, so a request cannot be taken for a connection.
 */
export function isConnection({ method }: Pick<CheckInput, 'method'>): boolean {
  return method === ''
}

/**
 * Returns the value of a header that must not be repeated: `undefined` if absent, `'repeated'` if it came more than once.
 */
export function singleHeader(
  headers: Headers,
  name: string,
): { readonly value: string } | 'repeated' | undefined {
  const values = headers.get(name)
  if (values === undefined || values.length === 0) return undefined
  const [value] = values
  return values.length > 1 || value === undefined ? 'repeated' : { value }
}

/** The form of the configured name of an identity provider, which precedes `/` in the ids of its users and groups. */
export const issuerNamePattern: RegExp = /^[a-z0-9][a-z0-9-]{0,62}$/

/** Splits the id of a user or group into the issuer's name and the rest; `undefined` without `/`. */
export function splitIssuer(id: string): { readonly issuer: string; readonly rest: string } | undefined {
  const slash = id.indexOf('/')
  return slash === -1 ? undefined : { issuer: id.slice(0, slash), rest: id.slice(slash + 1) }
}

/** The form of our own name for an identity provider, which stands before `/` in the ids of its users and groups. */
export const issuerNamePattern: RegExp = /^[a-z0-9][a-z0-9-]{0,62}$/

/** The issuer's name in the id of a user or a group, and what follows it; `undefined` when there is no `/`. */
export function splitIssuer(id: string): { readonly issuer: string; readonly rest: string } | undefined {
  const slash = id.indexOf('/')
  return slash === -1 ? undefined : { issuer: id.slice(0, slash), rest: id.slice(slash + 1) }
}

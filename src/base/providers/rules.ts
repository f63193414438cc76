/** Facts about the tokens of one identity provider, as data. `provider-rules.ts` lists all providers. */
export type ProviderRules = {
  /** Its issuer URLs: `hosts` recognizes them where nobody names the provider; an issuer of another form is an error. */
  readonly issuer: {
    readonly hosts: RegExp | undefined
    readonly path: RegExp
    /** True if no other host has it, so that a custom domain is an error, too. */
    readonly isHostFixed: boolean
    readonly example: string
  }
  /** The accepted `typ` of the header, without `application/`; `none` for a header without it. */
  readonly headerTypes: readonly ('JWT' | 'at+jwt' | 'none')[]
  /** Claims of every access token of a user. All of it is required. */
  readonly evidence: readonly Evidence[]
  /** The claim that shows a user, if the configuration names none. `required`: the configuration must name one. */
  readonly userClaim: string | 'none' | 'required'
  /** The claims that may name the client; one of them is required. */
  readonly clientClaims: readonly string[]
  /** Whether its access tokens have an `aud`. */
  readonly audience: 'always' | 'seldom'
  /** The claim that lists groups, unless the configuration names another. */
  readonly groups: string
  /** True if a group may be written with a leading slash: `/billing` for the group `billing` of the top level. */
  readonly hasGroupPaths: boolean
  /** True if the provider alone writes the evidence, so that no mapper can write it into a client's own token. */
  readonly isEvidenceItsOwn: boolean
}

/** A claim of a user's access token that a client's own token, an ID token or a refresh token does not have. */
export type Evidence =
  /** It has a value that asserts something. */
  | { readonly kind: 'shown'; readonly claim: string }
  /** It equals a word, in any case. */
  | { readonly kind: 'equals'; readonly claim: string; readonly value: string }
  /** It contains a text. */
  | { readonly kind: 'contains'; readonly claim: string; readonly text: string }
  /** It is a segment of the issuer's path. */
  | { readonly kind: 'in-issuer'; readonly claim: string }

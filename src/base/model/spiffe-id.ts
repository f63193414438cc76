import { show } from '../text/show.ts'
import { type Invalid, invalid, isInvalid } from './invalid.ts'

declare const proven: unique symbol

/** A SPIFFE trust domain name, such as `hospital.example`: lower case, at most 255 bytes. */
export type TrustDomain = string & { readonly [proven]: 'TrustDomain' }

/** A SPIFFE ID with a path: one workload. Only `parseSpiffeId` creates it. Two ids are equal if their `uri` is. */
export type SpiffeId = {
  readonly uri: string
  readonly trustDomain: TrustDomain
  readonly path: string
  readonly [proven]: 'SpiffeId'
}

const maxBytes = 2048
const scheme = 'spiffe://'
const trustDomainPattern = /^[a-z0-9._-]{1,255}$/
const segmentPattern = /^[A-Za-z0-9._-]+$/

/**
 * Parses a SPIFFE ID by the SPIFFE grammar (SPIFFE-ID §2). It refuses instead of normalizing: spellings that a URL parser
 * folds (`a/../b`, `%2f`, upper case, a port) must never become another identity.
 */
export function parseSpiffeId(text: string): SpiffeId | Invalid {
  if (text.length > maxBytes)
    return invalid(`SPIFFE ID: expected at most ${maxBytes} bytes, found ${text.length}`)
  if (!text.startsWith(scheme))
    return invalid(`SPIFFE ID: expected the scheme \`spiffe://\`, found ${show(text)}`)
  const slash = text.indexOf('/', scheme.length)
  if (slash === -1)
    return invalid(`SPIFFE ID: expected a path that names the workload, found ${show(text)} alone`)
  const trustDomain = parseTrustDomain(text.slice(scheme.length, slash))
  if (isInvalid(trustDomain)) return trustDomain
  const path = text.slice(slash)
  const segments = path.slice(1).split('/')
  const bad = segments.find((segment) => !segmentPattern.test(segment) || segment === '.' || segment === '..')
  if (bad !== undefined)
    return invalid(
      `SPIFFE ID: expected path segments of letters, digits, \`.\`, \`_\` and \`-\`, found ${show(bad)}`,
    )
  // The brand exists only for the compiler. Only this parser may assign it.
  return { uri: text, trustDomain, path } as SpiffeId
}

/** Parses a trust domain name, without scheme. */
export function parseTrustDomain(text: string): TrustDomain | Invalid {
  if (!trustDomainPattern.test(text)) {
    return invalid(
      `trust domain: expected 1 to 255 lower-case letters, digits, \`.\`, \`_\` and \`-\`, found ${show(text)}`,
    )
  }
  return text as TrustDomain
}

/** Returns the Kubernetes namespace of an ID in Istio's form `/ns/<namespace>/sa/<service account>`. */
export function namespaceOf(id: SpiffeId): string | undefined {
  return /^\/ns\/([^/]+)\/sa\/[^/]+$/.exec(id.path)?.[1]
}

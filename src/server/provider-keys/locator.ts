import { type Fault, isFault } from '../../base/model/fault.ts'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import { quote } from '../../base/text/quote.ts'
import type { Discovery, RemoteKeys } from '../../config/key-source.ts'
import { parseStrictJson } from '../../decision/jws/json.ts'
import { fetchText } from './fetch-text.ts'

/** Where a provider's set is. */
export type KeyPlace = { readonly url: string }

/** Finds the URL of a set. */
export type Locator = {
  /** Returns the configured URL, or the one that the provider's own document names. */
  readonly find: (ca: string | undefined, closing: AbortSignal) => Promise<KeyPlace | Fault | Invalid>
  /** Reads the document again next time: nothing could be fetched where it said. */
  readonly forget: () => void
}

/**
 * Creates the locator of a set. Each of the regular fetches reads the document; fetches between them, for keys that nobody
 * knows, use what it said. So a login waits for one request, not two.
 */
export function createLocator(
  { url, discovery, everyMs }: Pick<RemoteKeys, 'url' | 'discovery' | 'everyMs'>,
  elapsedMs: () => number,
): Locator {
  if (discovery === undefined) return { find: async () => ({ url }), forget() {} }
  let known: KeyPlace | undefined
  let untilMs = 0
  return {
    async find(ca, closing) {
      if (known !== undefined && elapsedMs() < untilMs) return known
      const text = await fetchText(url, ca, closing)
      if (isFault(text)) return text
      const place = readDocument(text, discovery)
      known = isInvalid(place) ? undefined : place
      untilMs = elapsedMs() + everyMs / 2
      return place
    },
    forget() {
      known = undefined
    },
  }
}

/**
 * Reads the document of a provider (OpenID Connect Discovery §4.3). It comes from the issuer's own address, and may still
 * send us elsewhere; so the origin of the keys is limited, too.
 */
export function readDocument(text: string, { issuer, origins }: Discovery): KeyPlace | Invalid {
  const document = parseStrictJson(text, 'provider')
  if (isInvalid(document)) return document
  const found = document.get('issuer')
  if (typeof found === 'string' && /\{[^}]*\}/.test(found))
    return invalid(
      `its \`issuer\` ${quote(found)} is a template for any tenant; write the id of your tenant into \`issuer\``,
    )
  if (found !== issuer)
    return invalid(`expected its \`issuer\` to be ${quote(issuer)} letter by letter, found ${quote(found)}`)
  const url = document.get('jwks_uri')
  if (typeof url !== 'string' || !URL.canParse(url))
    return invalid(`expected \`jwks_uri\` to be a URL, found ${quote(url)}`)
  const { protocol, origin, username, password } = new URL(url)
  if (protocol !== 'https:' || username !== '' || password !== '')
    return invalid(
      `expected \`jwks_uri\` to be an https URL without user, found ${quote(url)}; \`url\` overrides it`,
    )
  return origins.includes(origin)
    ? { url }
    : invalid(
        `\`jwks_uri\` ${quote(url)} is at another origin than ${origins.map(quote).join(', ')}; add it to \`origins\` if it is the provider's, or name \`url\``,
      )
}

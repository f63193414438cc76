import { readFile } from 'node:fs/promises'
import { explainFileError } from '../../base/follow/file-error.ts'
import { type Fault, fault, isFault } from '../../base/model/fault.ts'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import { type ProviderKeys, parseProviderKeys } from '../../decision/jws/provider-keys.ts'
import { fetchText } from './fetch-text.ts'
import type { FeedRequest } from './key-feed.ts'
import type { Locator } from './locator.ts'

/** A set that was just fetched, and from where. */
export type FetchedSet = { readonly url: string; readonly text: string; readonly keys: ProviderKeys }

/**
 * Fetches a provider's set once. A fault is about the way to the provider, an invalid answer about what it says. Reasons
 * name the key of the configuration.
 */
export async function fetchSet(
  { key, source }: Pick<FeedRequest, 'key' | 'source'>,
  locator: Locator,
  closing: AbortSignal,
  inForce?: ProviderKeys,
): Promise<FetchedSet | Fault | Invalid> {
  let ca: string | undefined
  try {
    ca = source.ca === undefined ? undefined : await readFile(source.ca, 'utf8')
  } catch (cause) {
    return fault(`\`${key}.ca\`: ${source.ca} cannot be read: ${explainFileError(source.ca ?? '', cause)}`)
  }
  const place = await locator.find(ca, closing)
  if (isFault(place)) return fault(`\`${key}\`: ${place.reason}`)
  if (isInvalid(place)) return invalid(`\`${key}\`: ${source.url}: ${place.reason}`)
  const { url } = place
  const text = await fetchText(url, ca, closing)
  if (isFault(text)) {
    locator.forget()
    return fault(`\`${key}\`: ${text.reason}`)
  }
  const keys = parseProviderKeys(text, inForce)
  return isInvalid(keys) ? invalid(`\`${key}\`: ${url}: ${keys.reason}`) : { url, text, keys }
}

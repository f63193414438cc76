import { remember } from '../../base/cache/remember.ts'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import { parseSpiffeId, type SpiffeId } from '../../base/model/spiffe-id.ts'

/** A waypoint's statement about a connection: `by` is the waypoint, `uri` the peer. */
export type Xfcc = { readonly by: SpiffeId; readonly uri: SpiffeId }

/**
 * A comma would begin a second element or a second URI, so no value contains one. Envoy writes `-` for an absent value.
 */
const pattern = /^By=([^,;="\s]+);URI=([^,;="\s]+)$/

/**
 * Parses the one form of `x-forwarded-client-cert` that Istio's waypoints write (istio/istio#59986). Another form comes
 * from another proxy, whose first elements may come from a client. Results are cached, because a mesh has far fewer
 * values than requests.
 */
export const parseXfcc: (value: string) => Xfcc | Invalid = remember(readXfcc, {
  maxEntries: 2000,
  keyOf: (value) => value,
  isWorth: (xfcc) => !isInvalid(xfcc),
})

function readXfcc(value: string): Xfcc | Invalid {
  const match = pattern.exec(value)
  if (match === null)
    return invalid(`XFCC: expected \`By=<SPIFFE ID>;URI=<SPIFFE ID>\`${describeOther(value)}`)
  const [, byText = '', uriText = ''] = match
  const by = parseSpiffeId(byText)
  if (isInvalid(by)) return invalid(`XFCC \`By\`: ${by.reason}`)
  const uri = parseSpiffeId(uriText)
  return isInvalid(uri) ? invalid(`XFCC \`URI\`: ${uri.reason}`) : { by, uri }
}

/** Lists the keys that were found, never their values, because `Cert` holds a whole certificate. */
function describeOther(value: string): string {
  const keys = [...value.matchAll(/(?:^|[;,])\s*([A-Za-z]{1,16})=/g)].map(([, key]) => `\`${key}\``)
  if (keys.length === 0) return ''
  const shown = [...new Set(keys)].slice(0, maxKeys).join(', ')
  const isWaypoints = keys.every((key) => key === '`By`' || key === '`URI`')
  const hint = isWaypoints
    ? ''
    : '; Envoy as such writes more than a waypoint: behind it set `peer: principal`'
  return `, found ${shown}${hint}`
}

const maxKeys = 8

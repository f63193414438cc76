import { currentChain } from './actor-chain.js'
import { destinationOfUrl, parseAllowList, toDestination } from './allow-list.js'

const chainKey = Symbol.for('waywarden.actor-chain context')
// The key by which @opentelemetry/api keeps the active span in a context.
const spanKey = Symbol.for('OpenTelemetry Context Key SPAN')
const clientKind = 2

/**
 * An OpenTelemetry `TextMapPropagator`. Its interface does not tell where a request goes, so it reads that from the
 * client span, and sends nothing when there is none to read: see the README.
 */
export class ActorChainPropagator {
  #header
  #isListed

  constructor({ allow, header = 'actor-chain' }) {
    this.#header = header
    this.#isListed = parseAllowList(allow)
  }

  fields() {
    return [this.#header]
  }

  extract(context, carrier, getter) {
    const value = getter.get(carrier, this.#header)
    const chain = Array.isArray(value) ? value.join(', ') : value
    // Always set: a request without a chain must not inherit that of the context around it.
    return context.setValue(chainKey, { chain })
  }

  inject(context, carrier, setter) {
    const { chain } = context.getValue(chainKey) ?? { chain: currentChain() }
    const destinations = destinationsOf(context.getValue(spanKey))
    if (destinations.length === 0) return
    const isListed = destinations.every((destination) => this.#isListed(destination))
    if (isListed && chain !== undefined) setter.set(carrier, this.#header, chain)
    else removeFrom(carrier, this.#header)
  }
}

/** An earlier hop of a redirect, or an earlier call that shared its gRPC metadata, may have put it there. */
function removeFrom(carrier, header) {
  if (typeof carrier?.remove === 'function') carrier.remove(header)
  else if (typeof carrier === 'object' && carrier !== null) delete carrier[header]
}

/** The attributes of a client span that name the request's target, by old and new semantic conventions. */
function destinationsOf(span) {
  if (span?.kind !== clientKind) return []
  const attributes = span.attributes ?? {}
  const urls = [attributes['url.full'], attributes['http.url']].filter((url) => url !== undefined)
  if (urls.length > 0) return urls.map(destinationOfUrl)
  const host = attributes['server.address'] ?? attributes['net.peer.name']
  const port = attributes['server.port'] ?? attributes['net.peer.port']
  return typeof host === 'string' ? [toDestination(host, port ?? Number.NaN)] : []
}

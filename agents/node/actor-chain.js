import { AsyncLocalStorage } from 'node:async_hooks'
import { destinationOfUrl, parseAllowList } from './allow-list.js'
import { grpcHelpers } from './grpc.js'
import { replaceInRecord } from './headers.js'
import { undiciHelpers } from './undici.js'

// One for all copies of this package in the process: a middleware and a propagator must see the same chain.
const storageKey = Symbol.for('waywarden.actor-chain')
globalThis[storageKey] ??= new AsyncLocalStorage()
const storage = globalThis[storageKey]

/** The chain of the request being served; `undefined` when it came without one, or when none is being served. */
export const currentChain = () => storage.getStore()

/** Runs work for the given chain; `undefined` runs it for nobody. */
export const runWithChain = (chain, work) => storage.run(chain, work)

/** Binds a function that a pool, a queue or an emitter calls later to the chain of now. */
export const carryChain = (work) => {
  const chain = currentChain()
  return (...input) => storage.run(chain, work, ...input)
}

/** Keeps the chain of the request being served and puts it on outgoing requests, to listed destinations only. */
export const createActorChain = ({ allow, header = 'actor-chain' }) => {
  const isListed = parseAllowList(allow)
  const chainTo = (destination, chain) => (isListed(destination) ? chain : undefined)

  /** For Express-style servers, and for node:http with the handler as `next`. */
  const middleware = (request, response, next) => {
    const chain = request.headers[header]
    // Events of a request come from its connection, which knows no chain.
    for (const emitter of [request, response]) {
      const emit = emitter.emit.bind(emitter)
      emitter.emit = (...event) => storage.run(chain, emit, ...event)
    }
    return storage.run(chain, next)
  }

  /** Headers for one request to this URL, without redirects. */
  const headersFor = (url, headers) =>
    replaceInRecord(headers, header, chainTo(destinationOfUrl(url), currentChain()))

  const parts = { header, chainTo, currentChain }
  return { middleware, headersFor, ...undiciHelpers(parts), ...grpcHelpers(parts) }
}

import { destinationOfUrl } from './allow-list.js'
import { replaceHeader } from './headers.js'

const globalDispatcherKey = Symbol.for('undici.globalDispatcher.1')
const capturedKey = Symbol('the chain that this dispatch was begun with')

/** An interceptor for fetch and undici: the header is decided anew for every hop of a redirect, where the origin is known. */
export function undiciHelpers({ header, chainTo, currentChain }) {
  const stamp = (dispatch, captured) => (options, handler) => {
    // Behind a redirect the running context may be that of the request that opened the connection, so the first hop's counts.
    const { chain } = captured ?? options[capturedKey] ?? { chain: currentChain() }
    const value = chainTo(destinationOfUrl(options.origin), chain)
    const headers = replaceHeader(options.headers, header, value)
    return dispatch({ ...options, headers, [capturedKey]: { chain } }, handler)
  }

  /** `agent.compose(interceptor)`; around a redirect interceptor on both sides: `compose(ours, redirect, ours)`. */
  const interceptor = (dispatch) => stamp(dispatch, undefined)

  /** The global fetch, with the chain. */
  const fetch = (input, init) => {
    const dispatcher = init?.dispatcher ?? globalDispatcher()
    const captured = { chain: currentChain() }
    const dispatch = stamp(dispatcher.dispatch.bind(dispatcher), captured)
    return globalThis.fetch(input, { ...init, dispatcher: { dispatch } })
  }
  return { interceptor, fetch }
}

function globalDispatcher() {
  // Node loads its undici, and with it the dispatcher, on the first look at one of its classes.
  const isLoaded = typeof globalThis.Headers === 'function'
  const dispatcher = globalThis[globalDispatcherKey]
  if (isLoaded && dispatcher !== undefined) return dispatcher
  throw new DispatcherError('fetch: expected the dispatcher of undici that Node.js ships, found none')
}

/** Thrown where `fetch` is not Node's: a redirect could not be watched there. */
export class DispatcherError extends Error {
  name = 'DispatcherError'
  code = 'dispatcher_missing'
}

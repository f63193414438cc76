import { destinationOfTarget } from './allow-list.js'

/** An interceptor for @grpc/grpc-js. It copies a call's metadata, because clients share it between calls. */
export function grpcHelpers({ header, chainTo, currentChain }) {
  const metadataFor = (target, metadata) => {
    const own = metadata.clone()
    own.remove(header)
    const chain = chainTo(destinationOfTarget(target), currentChain())
    if (chain !== undefined) own.set(header, chain)
    return own
  }

  /** For one channel: `new Client(target, credentials, { interceptors: [grpcInterceptor(target)] })`. */
  const grpcInterceptor = (target) => (options, nextCall) => {
    const call = nextCall(options)
    const start = call.start.bind(call)
    call.start = (metadata, listener) => start(metadataFor(target, metadata), listener)
    return call
  }
  return { metadataFor, grpcInterceptor }
}

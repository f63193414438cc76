// Compiled, never run: our types fit those of the packages that they stand beside.
import type { Interceptor } from '@grpc/grpc-js'
import { Metadata } from '@grpc/grpc-js'
import type { TextMapPropagator } from '@opentelemetry/api'
import { Agent, type Dispatcher } from 'undici'
import { createActorChain } from 'waywarden-agent'
import { ActorChainPropagator } from 'waywarden-agent/propagator'

const chain = createActorChain({ allow: ['insurance.svc'] })

export const dispatcher: Dispatcher = new Agent().compose(chain.interceptor)
export const interceptor: Interceptor = chain.grpcInterceptor('insurance.svc:8080')
export const metadata: Metadata = chain.metadataFor('insurance.svc:8080', new Metadata())
export const propagator: TextMapPropagator = new ActorChainPropagator({ allow: ['insurance.svc'] })

import type { ActorChainOptions } from './actor-chain.d.ts'

type ContextLike<C> = {
  getValue(key: symbol): unknown
  setValue(key: symbol, value: unknown): C
}

/** A `TextMapPropagator` of @opentelemetry/api that keeps to the allow-list: see the README for what it cannot see. */
export declare class ActorChainPropagator {
  constructor(options: ActorChainOptions)
  fields(): string[]
  extract<C extends ContextLike<C>, T>(
    context: C,
    carrier: T,
    getter: { get(carrier: T, key: string): string | string[] | undefined },
  ): C
  inject<C extends ContextLike<C>, T>(
    context: C,
    carrier: T,
    setter: { set(carrier: T, key: string, value: string): void },
  ): void
}

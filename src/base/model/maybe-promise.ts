/** A value that is available now, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>

/** Continues with a value: synchronously if it is available, so that a known value costs no turn of the event loop. */
export function andThen<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

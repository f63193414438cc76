/** A value that is there at once when it is known already, and later when it has to be found out. */
export type MaybePromise<T> = T | Promise<T>

/** Goes on with a value as soon as it is there: what is known makes nobody wait, not even for a turn of the event loop. */
export function andThen<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

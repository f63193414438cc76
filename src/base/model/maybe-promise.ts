/** A value that is there at once when it is known already, and later when it has to be found out. */
export type Eventual<T> = T | Promise<T>

/** Goes on with a value as soon as it is there: what is known makes nobody wait, not even for a turn of the event loop. */
export function andThen<T, R>(value: Eventual<T>, next: (value: T) => Eventual<R>): Eventual<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

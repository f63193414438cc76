/**
 * Every `kind` of a value that stands for a failure. INVARIANT: no success has one of these kinds, so that to read `kind`
 * decides (test/failures.test.ts compares the types).
 */
export const failureKinds = [
  'deny',
  'invalid',
  'fault',
  'problems',
  'refused',
  'failed',
  'unread',
  'not-regular',
  'too-large',
  'git-failure',
  'failure',
  'jws-fault',
  'need',
] as const

/** A value that a function returns in place of its result. */
export type Failure = { readonly kind: (typeof failureKinds)[number] }

/** The bound of a type parameter for a success beside a failure: without `kind`, so that nothing can be taken for a failure. */
export type WithoutKind = string | number | (object & { readonly kind?: never })

const kinds: ReadonlySet<unknown> = new Set(failureKinds)

/** True for a failure of any kind. Where only one kind can come, its own guard says so: `isDeny`, `isInvalid`, `isFault`. */
export function isFailure<V>(value: V): value is Extract<V, Failure>
export function isFailure(value: { readonly kind?: unknown } | undefined): boolean {
  return kinds.has(value?.kind)
}

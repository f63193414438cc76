// A log line is read by people and shipped by collectors: nothing in it may be endless.

const maxTextLength = 2048
const maxProblems = 50
const maxCauses = 4

/** The fields of an error in a log line. */
export type Described = {
  readonly message: string
  readonly code?: string
  readonly stack?: string
  readonly cause?: Described
}

/** Only standard fields, because further properties of errors may contain requests and headers. */
export function describe(cause: unknown, depth = 1): Described {
  if (!(cause instanceof Error)) return { message: bound(String(cause)) }
  return {
    message: bound(cause.message),
    ...('code' in cause ? { code: bound(String(cause.code)) } : {}),
    ...(cause.stack === undefined ? {} : { stack: bound(cause.stack) }),
    ...(cause.cause === undefined || depth === maxCauses ? {} : { cause: describe(cause.cause, depth + 1) }),
  }
}

/** The first problems, and how many more there are. */
export function boundAll(problems: readonly string[]): readonly string[] {
  const shown = problems.slice(0, maxProblems).map(bound)
  return shown.length === problems.length ? shown : [...shown, `and ${problems.length - shown.length} more`]
}

/** The beginning of a text that may be long. */
export function bound(text: string): string {
  return text.length <= maxTextLength ? text : `${text.slice(0, maxTextLength)}…`
}

/** The input and output of a command, and its stop signal. */
export type Terminal = {
  readonly print: (line: string) => void
  readonly complain: (line: string) => void
  readonly readStdin: () => Promise<Uint8Array>
  /** Resolves with the name of the first signal that requests a stop. */
  readonly stopSignal: () => Promise<string>
  readonly nowMs: () => number
  /** The path of the running program, to start it again. */
  readonly program: string
  /** True if the output goes to a person's terminal; and whether it may have colours. */
  readonly isTerminal: boolean
  readonly hasColors: boolean
}

/** The exit codes for scripts; every `--help` lists them. */
export const exitCodes = { ok: 0, negative: 1, usage: 2, config: 78 } as const

/** One of the exit codes. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Receives a command's exit code. */
export type Finish = (code: ExitCode) => void

/** Returns the end of a command's help: an example and the exit codes. */
export function helpFooter(example: string, codes: string): string {
  return `\nExample:\n  $ ${example}\n\nExit codes: ${codes}, ${exitCodes.usage} wrong usage\n`
}

/** Formats an error and its causes in one line. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const [message = error.name] = error.message.split('\n', 1)
  return error.cause === undefined ? message : `${message}: ${describeError(error.cause)}`
}

/** Formats text from a token or a record as one line, because its author must not add lines or control the terminal. */
export function toLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, '\u{fffd}')
}

/** Prints a line of a file with a caret, indented under its problem. */
export function complainAboutExcerpt(
  excerpt: string | undefined,
  { complain }: Pick<Terminal, 'complain'>,
): void {
  for (const line of excerpt?.split('\n') ?? []) if (line !== '') complain(toLine(`    ${line}`))
}

const colors = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const

/** A colour or weight of text. */
export type Color = keyof typeof colors

/** Formats text of one line in a colour, if the terminal has colours. */
export function paint(text: string, color: Color, { hasColors }: Pick<Terminal, 'hasColors'>): string {
  return hasColors ? `\u{1b}[${colors[color]}m${toLine(text)}\u{1b}[0m` : toLine(text)
}

/** Collects an option that may be repeated. A variadic one would consume the arguments after it. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',')]
}

/** Collects paths. A comma is an ordinary character. */
export function collectPath(path: string, before: readonly string[] = []): readonly string[] {
  return [...before, path]
}

/** Collects an option that may be given several times; a variadic one would swallow the arguments after it. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',')]
}

/** Collects paths, in which a comma is a letter like others. */
export function collectPath(path: string, before: readonly string[] = []): readonly string[] {
  return [...before, path]
}

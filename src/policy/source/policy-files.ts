import { createHash } from 'node:crypto'

// The number of hexadecimal digits of the digest.
const idLength = 32

/**
 * The files of one policy repository at one time; `id` is the hash of their names and contents. Tests are not part of the
 * id: they do not decide, and a copy without them, such as a ConfigMap, is the same revision.
 */
export type PolicyFiles = {
  readonly id: string
  readonly files: ReadonlyMap<string, string>
  readonly tests: ReadonlyMap<string, string>
}

/** Names a set of files by their content. */
export function toPolicyFiles(
  files: ReadonlyMap<string, string>,
  tests: ReadonlyMap<string, string> = new Map(),
): PolicyFiles {
  const id = digestFiles(files).slice(0, idLength)
  return { id, files: new Map(sortByName(files)), tests: new Map(sortByName(tests)) }
}

/** Returns the files without tests. */
export function withoutTests(source: PolicyFiles): PolicyFiles {
  return { ...source, tests: new Map() }
}

/** SHA-256 over names and contents, ordered by name (docs/evidence.md), in hexadecimal. */
export function digestFiles(files: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256')
  for (const [name, text] of sortByName(files)) {
    // Lengths first, so that no two sets of files hash alike by moving a boundary.
    hash.update(`${Buffer.byteLength(name)}:${name}${Buffer.byteLength(text)}:${text}`)
  }
  return hash.digest('hex')
}

function sortByName(files: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  return [...files].sort(([a], [b]) => (a < b ? -1 : 1))
}

import { createHash } from 'node:crypto'

// Of the digest, as digits.
const idLength = 32

/**
 * The files of one policy repository at one moment; `id` is the hash of their names and contents. Its own tests have no part
 * in the id: they do not decide, and a place that holds none of them, such as a ConfigMap, has the same revision.
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

/** The same files, as if nobody had written a test. */
export function withoutTests(source: PolicyFiles): PolicyFiles {
  return { ...source, tests: new Map() }
}

/** SHA-256 over names and contents, in the order of the names (docs/evidence.md), as hexadecimal digits. */
export function digestFiles(files: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256')
  for (const [name, text] of sortByName(files)) {
    // Lengths first: no two different sets of files may hash alike by moving a boundary.
    hash.update(`${Buffer.byteLength(name)}:${name}${Buffer.byteLength(text)}:${text}`)
  }
  return hash.digest('hex')
}

function sortByName(files: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  return [...files].sort(([a], [b]) => (a < b ? -1 : 1))
}

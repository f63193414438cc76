import type { Problem } from '../../base/document/problem.ts'
import { copiedFile, explainMisnamed } from './misnamed-file.ts'

/** What a file in a policy repository is for: policies, schema, entities and catalog decide, tests prove. */
export type Purpose = 'policy' | 'test'

const fixedNames: ReadonlySet<string> = new Set(['services.yaml', 'entities.json', 'schema.cedarschema'])

/** What a file is for, by its path; `undefined` when it is not read. */
export function purposeOf(path: string): Purpose | undefined {
  if (path.startsWith('tests/')) return /\.ya?ml$/.test(path) ? 'test' : undefined
  return path.endsWith('.cedar') || fixedNames.has(path) ? 'policy' : undefined
}

/** True for a hidden file, and for every file in a hidden folder: names that begin with a dot. They are not read. */
export function isPassedOver(path: string): boolean {
  return path.split('/').some((part) => part.startsWith('.'))
}

/** Where version control keeps its own files, which nobody takes for policies. */
const versionControl: ReadonlySet<string> = new Set(['.git', '.hg', '.jj', '.svn'])

/**
 * True for files of which even the names mean nothing: those of version control, and in a mounted ConfigMap those of
 * Kubernetes (`..data`, `..2026_11_30_…`), which hold the same files once more.
 */
export function isBookkeeping(path: string, isMount: boolean): boolean {
  return (isMount && path.startsWith('..')) || path.split('/').some((part) => versionControl.has(part))
}

/**
 * Every file that a person would take for a part of the policy repository, and that is not read. Such a file may hold a
 * forbid, so it is a problem and not passed over. `paths` are all files, hidden ones included.
 */
export function findUnread(paths: readonly string[]): readonly Problem[] {
  const isRead = (path: string) => purposeOf(path) !== undefined && !isPassedOver(path)
  const read = new Set(paths.filter(isRead))
  return paths.flatMap((path) => {
    if (read.has(path) && !directionMark.test(path)) return []
    const copied = copiedFile(path)
    if (copied !== undefined && read.has(copied)) return []
    const message = directionMark.test(path)
      ? 'expected a name without marks that turn the direction of writing: it is not the name that is shown'
      : explainMisnamed(path)
    return message === undefined ? [] : [{ file: printable(path), message }]
  })
}

/**
 * Why there must be no folder of this path: a file is read under its name. A mount of a file that is not there leaves an
 * empty folder, and entities.json would be taken for absent.
 */
export function refuseFolder(path: string): Problem | undefined {
  return purposeOf(path) === undefined
    ? undefined
    : { file: path, message: 'expected a file, found a folder' }
}

/** Bidirectional controls (UAX #9): with them `x.radec` is shown as another name. */
const directionMark = /[\u202a-\u202e\u2066-\u2069]/

/** The path, escaped where a terminal would not show it as it is. */
function printable(path: string): string {
  return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/u.test(path)
    ? JSON.stringify(path).replace(
        /\p{Cf}/gu,
        (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
    : path
}

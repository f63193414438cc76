import type { Problem } from '../../base/document/problem.ts'
import { copiedFile, explainMisnamed } from './misnamed-file.ts'

/** The purpose of a file in a policy repository. Policies, schema, entities and catalog decide; tests prove. */
export type Purpose = 'policy' | 'test'

const fixedNames: ReadonlySet<string> = new Set(['services.yaml', 'entities.json', 'schema.cedarschema'])

/** Returns the purpose of a file by its path; `undefined` if it is not read. */
export function purposeOf(path: string): Purpose | undefined {
  if (path.startsWith('tests/')) return /\.ya?ml$/.test(path) ? 'test' : undefined
  return path.endsWith('.cedar') || fixedNames.has(path) ? 'policy' : undefined
}

/** True for hidden files and files in hidden folders, whose names begin with a dot. They are not read. */
export function isPassedOver(path: string): boolean {
  return path.split('/').some((part) => part.startsWith('.'))
}

/** Folders of version control systems. */
const versionControl: ReadonlySet<string> = new Set(['.git', '.hg', '.jj', '.svn'])

/**
 * True for files whose names have no meaning: those of version control, and Kubernetes' internal copies in a mounted
 * ConfigMap (`..data`, `..2026_11_30_…`).
 */
export function isBookkeeping(path: string, isMount: boolean): boolean {
  return (isMount && path.startsWith('..')) || path.split('/').some((part) => versionControl.has(part))
}

/**
 * Finds files that look like a part of the policy repository but are not read. Such a file may contain a forbid, so it is
 * a problem. `paths` are all files, including hidden ones.
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
 * Explains why there must be no folder with this path. A mount of a missing file creates an empty folder, and
 * entities.json would then seem absent.
 */
export function refuseFolder(path: string): Problem | undefined {
  return purposeOf(path) === undefined
    ? undefined
    : { file: path, message: 'expected a file, found a folder' }
}

/** Bidirectional controls (UAX #9), which can display `x.radec` as another name. */
const directionMark = /[\u202a-\u202e\u2066-\u2069]/

/** Returns the path with escapes for characters that a terminal would hide or obey. */
function printable(path: string): string {
  return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/u.test(path)
    ? JSON.stringify(path).replace(
        /\p{Cf}/gu,
        (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
    : path
}

import { realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { isAbsent, isErrno } from '../base/model/fault.ts'

/** The repositories that contain a directory; absent if there is none. */
export type Surroundings = { readonly policies?: string; readonly git?: string }

/** Finds the policy repository and the Git working tree around a directory, which may not exist yet. */
export async function surroundingsOf(directory: string): Promise<Surroundings> {
  const places = await realAncestors(directory)
  const [policies, git] = await Promise.all([firstWith(places, 'services.yaml'), firstWith(places, '.git')])
  return { ...(policies === undefined ? {} : { policies }), ...(git === undefined ? {} : { git }) }
}

/**
 * Returns the directory and its ancestors, the nearest first. Links are followed, because their targets are published.
 */
async function realAncestors(directory: string): Promise<readonly string[]> {
  const absent: string[] = []
  for (let place = resolve(directory); ; place = dirname(place)) {
    const real = await realpath(place).catch(() => undefined)
    if (real !== undefined || place === dirname(place)) return [...absent, ...ancestorsOf(real ?? place)]
    absent.push(place)
  }
}

function ancestorsOf(place: string): readonly string[] {
  const parent = dirname(place)
  return parent === place ? [place] : [place, ...ancestorsOf(parent)]
}

async function firstWith(places: readonly string[], name: string): Promise<string | undefined> {
  for (const place of places) {
    const isThere = await stat(join(place, name)).then(
      () => true,
      // A file that cannot be examined may exist.
      (cause: unknown) => !isAbsent(cause) && !isErrno(cause, 'ENOTDIR'),
    )
    if (isThere) return place
  }
  return undefined
}

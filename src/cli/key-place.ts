import { realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { isAbsent, isErrno } from '../base/model/fault.ts'

/** In which repositories a directory lies; either is absent when it lies in none. */
export type Surroundings = { readonly policies?: string; readonly git?: string }

/** Finds the policy repository and the Git working tree around a directory, which need not exist yet. */
export async function surroundingsOf(directory: string): Promise<Surroundings> {
  const places = await realAncestors(directory)
  const [policies, git] = await Promise.all([firstWith(places, 'services.yaml'), firstWith(places, '.git')])
  return { ...(policies === undefined ? {} : { policies }), ...(git === undefined ? {} : { git }) }
}

/** The directory and all around it, the nearest first; links are followed, since what lies behind them is published. */
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
      // What cannot be looked at may be there.
      (cause: unknown) => !isAbsent(cause) && !isErrno(cause, 'ENOTDIR'),
    )
    if (isThere) return place
  }
  return undefined
}

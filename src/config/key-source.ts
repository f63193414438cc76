import type { Path } from '../base/document/yaml.ts'
import { parseDurationMs } from '../base/model/duration.ts'
import type { Conflict, Draft } from './conflict.ts'
import type { ProviderKeySettings, UserIssuer } from './settings.ts'

/** Where the keys of an identity provider come from; paths are absolute, times milliseconds. */
export type KeySource = FileKeys | RemoteKeys

/** A file that somebody else keeps up to date; `key` is its place in an entry of `users`. */
export type FileKeys = { readonly kind: 'file'; readonly path: string; readonly key: 'jwks' | 'keys.file' }

/** A set that is fetched. */
export type RemoteKeys = {
  readonly kind: 'remote'
  readonly url: string
  readonly ca: string | undefined
  readonly everyMs: number
  readonly cooldownMs: number
  readonly keep: string | undefined
  readonly seed: string | undefined
  readonly maxStalenessMs: number
}

/** What holds where `keys` does not say. */
export const keySourceDefaults = { every: '5m', cooldown: '10s', maxStaleness: '24h' } as const

const onlyRemote = ['ca', 'every', 'cooldown', 'keep', 'seed', 'maxStaleness'] as const

/** Fills in what follows from the kind of source; `at` makes a path absolute. */
export function toKeySource(
  { jwks, keys }: Pick<UserIssuer, 'jwks' | 'keys'>,
  at: (path: string) => string,
): KeySource {
  if (keys?.url === undefined) {
    const key = keys?.file === undefined ? 'jwks' : 'keys.file'
    return { kind: 'file', path: at(keys?.file ?? jwks ?? ''), key }
  }
  const { url, ca, every, cooldown, keep, seed, maxStaleness } = keys
  const absolute = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : at(path)
  return {
    kind: 'remote',
    url,
    ca: absolute(ca),
    everyMs: every ?? defaultMs('every'),
    cooldownMs: cooldown ?? defaultMs('cooldown'),
    keep: absolute(keep),
    seed: absolute(seed),
    maxStalenessMs: maxStaleness ?? defaultMs('maxStaleness'),
  }
}

/** What an entry of `users` says of its keys against itself. */
export function keySourceConflicts(user: Draft<UserIssuer>, path: Path): readonly Conflict[] {
  if (user === undefined) return []
  const { jwks, keys } = user
  // What is wrong by itself is there, and reported already.
  if (!('jwks' in user) && !('keys' in user))
    return [{ path, message: 'expected `keys` or `jwks`, found neither; name where its public keys are' }]
  if (keys === undefined) return []
  if (jwks !== undefined)
    return [
      {
        path: [...path, 'jwks'],
        message: 'stands beside `keys`; its keys come from one place, remove the other',
      },
    ]
  return placeConflicts(keys, [...path, 'keys'])
}

function placeConflicts(keys: Draft<ProviderKeySettings> & object, path: Path): readonly Conflict[] {
  const { file, url, every, maxStaleness, keep, seed } = keys
  const conflicts: Conflict[] = []
  const say = (at: Path, message: string) => conflicts.push({ path: [...path, ...at], message })
  if (!('file' in keys) && !('url' in keys))
    say([], 'expected `file` or `url`, found neither; name where its public keys are')
  if (file !== undefined && url !== undefined)
    say(['file'], 'stands beside `url`; its keys come from one place, remove the other')
  if (file !== undefined && !('url' in keys))
    for (const key of onlyRemote)
      if (keys[key] !== undefined) say([key], 'is for keys that are fetched, and `url` is missing; remove it')
  if (url !== undefined && (maxStaleness ?? defaultMs('maxStaleness')) < 2 * (every ?? defaultMs('every')))
    say(
      [maxStaleness === undefined ? 'every' : 'maxStaleness'],
      'one fetch that fails would end all logins; let `maxStaleness` be at least twice `every`',
    )
  if (keep !== undefined && keep === seed) say(['seed'], 'is what `keep` overwrites; name another file')
  return conflicts
}

function defaultMs(key: keyof typeof keySourceDefaults): number {
  return Number(parseDurationMs(keySourceDefaults[key]))
}

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
  /** The URL of the set, or of the document that names it. */
  readonly url: string
  /** Limits what that document may say; `undefined`: `url` is the set's own. */
  readonly discovery: Discovery | undefined
  readonly ca: string | undefined
  readonly everyMs: number
  readonly cooldownMs: number
  readonly keep: string | undefined
  readonly seed: string | undefined
  readonly maxStalenessMs: number
}

/** The text that `issuer` of the document must equal, and the origins at which the set may be. */
export type Discovery = { readonly issuer: string; readonly origins: readonly string[] }

/** The defaults of `keys`. */
export const keySourceDefaults = { every: '5m', cooldown: '10s', maxStaleness: '24h' } as const

const wellKnown = '/.well-known/openid-configuration'

/** Providers whose keys are at another origin than their issuer: Entra v1.0 and its clouds, Google. */
const knownOrigins: ReadonlyMap<string, readonly string[]> = new Map([
  ['https://sts.windows.net', ['https://login.windows.net', 'https://login.microsoftonline.com']],
  [
    'https://sts.chinacloudapi.cn',
    ['https://login.chinacloudapi.cn', 'https://login.partner.microsoftonline.cn'],
  ],
  ['https://accounts.google.com', ['https://www.googleapis.com']],
])

const onlyRemote = ['origins', 'ca', 'every', 'cooldown', 'keep', 'seed', 'maxStaleness'] as const

/** Fills in what follows from the kind of source; `at` makes a path absolute. */
export function toKeySource(
  { issuer, jwks, keys }: Pick<UserIssuer, 'issuer' | 'jwks' | 'keys'>,
  at: (path: string) => string,
): KeySource {
  if (keys === undefined || !isFetched(keys)) {
    const key = keys?.file === undefined ? 'jwks' : 'keys.file'
    return { kind: 'file', path: at(keys?.file ?? jwks ?? ''), key }
  }
  const { url, origins = [], ca, every, cooldown, keep, seed, maxStaleness } = keys
  const absolute = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : at(path)
  return {
    kind: 'remote',
    url: url ?? `${issuer.replace(/\/$/, '')}${wellKnown}`,
    discovery: url === undefined ? toDiscovery(issuer, origins) : undefined,
    ca: absolute(ca),
    everyMs: every ?? defaultMs('every'),
    cooldownMs: cooldown ?? defaultMs('cooldown'),
    keep: absolute(keep),
    seed: absolute(seed),
    maxStalenessMs: maxStaleness ?? defaultMs('maxStaleness'),
  }
}

function isFetched({ url, discovery }: { readonly url?: unknown; readonly discovery?: unknown }): boolean {
  return url !== undefined || discovery === true
}

function toDiscovery(issuer: string, origins: readonly string[]): Discovery {
  const own = new URL(issuer).origin
  return { issuer, origins: [own, ...(knownOrigins.get(own) ?? []), ...origins] }
}

/** Finds contradictions about keys within an entry of `users`. */
export function keySourceConflicts(user: Draft<UserIssuer>, path: Path): readonly Conflict[] {
  if (user === undefined) return []
  const { jwks, keys } = user
  const template = user.issuer === undefined ? undefined : /\{[^}]*\}/.exec(user.issuer)?.[0]
  if (template !== undefined)
    return [
      {
        path: [...path, 'issuer'],
        message: `\`${template}\` stands for a tenant, and no token has it in \`iss\`; write the id of your tenant there`,
      },
    ]
  // A key that is wrong by itself is reported already.
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
  const { file, discovery, origins, every, maxStaleness, keep, seed } = keys
  const conflicts: Conflict[] = []
  const say = (at: Path, message: string) => conflicts.push({ path: [...path, ...at], message })
  const fetched = 'url' in keys ? 'url' : discovery === true ? 'discovery' : undefined
  if (!('file' in keys) && fetched === undefined)
    say([], 'expected `file`, `url` or `discovery: true`, found none; name where its public keys are')
  if (file !== undefined && fetched !== undefined)
    say(['file'], `stands beside \`${fetched}\`; its keys come from one place, remove the other`)
  if (origins !== undefined && fetched === 'url')
    say(['origins'], 'is for a URL that is discovered, and `url` names it; remove one of them')
  if (file !== undefined && fetched === undefined)
    for (const key of onlyRemote)
      if (keys[key] !== undefined) say([key], 'is for keys that are fetched, and `file` is not; remove it')
  if (isFetched(keys) && (maxStaleness ?? defaultMs('maxStaleness')) < 2 * (every ?? defaultMs('every')))
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

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ChainKeys, keyFiles } from '../chain/keys.ts'
import { loadKeys } from '../chain/keys-source.ts'
import { countRevocations, noRevocations, type Revocations } from '../chain/revocations.ts'
import { readRevocations } from '../chain/revocations-source.ts'
import type { Config } from '../config/config.ts'
import type { UserIssuer } from '../identity/user-issuer.ts'
import { keyNotices, type ProviderKeys, parseProviderKeys } from '../jws/provider-keys.ts'
import type { FollowedSource } from '../model/event.ts'
import { isInvalid } from '../model/invalid.ts'
import { type FollowOptions, followFiles } from './followed-files.ts'
import { type Opening, StartError } from './opening.ts'

/** Everything secret or public that decides whom we believe; each part follows its files. */
export type Credentials = {
  readonly keys: () => ChainKeys
  /** Every configured identity provider, with its keys. */
  readonly issuers: () => readonly UserIssuer[]
  readonly revocations: () => Revocations
  /** What the files say now that is not in force. */
  readonly problems: () => readonly string[]
  /** What is in force and still needs an operator: keys of identity providers that verify nothing. */
  readonly notices: () => readonly string[]
}

/** Opens files one by one and collects what is wrong with all of them. */
type Opener = <T extends object>(
  what: FollowedSource,
  paths: readonly string[],
  read: FollowOptions<T>['read'],
  describe: (value: T) => { readonly names: readonly string[]; readonly entries: number },
  afterwards?: (value: T) => void,
) => Promise<(() => T) | undefined>

/** Reads signing keys, identity providers' keys and revocations; throws a `StartError` with every problem. */
export async function openCredentials(
  config: Config,
  { closing, report, pollMs }: Opening,
): Promise<Credentials> {
  const { chain, users } = config
  const followed: { readonly problems: readonly string[] }[] = []
  const startProblems: string[] = []
  const open: Opener = async (what, paths, read, describe, afterwards) => {
    try {
      const files = await followFiles({
        paths,
        read,
        pollMs,
        onRead(value) {
          report({ kind: 'source_loaded', what, ...describe(value) })
          afterwards?.(value)
        },
        onRefused: (problems) => report({ kind: 'source_refused', what, problems }),
      })
      followed.push(files)
      closing.push(files)
      return () => files.current
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      startProblems.push(...error.problems)
      return undefined
    }
  }
  const keys = await openKeys(chain.keys, open)
  const issuers = await Promise.all(users.map((user) => openIssuer(user, open, report)))
  const revocations =
    chain.revocations === undefined ? () => noRevocations : await openRevocations(chain.revocations, open)
  if (keys === undefined || revocations === undefined || startProblems.length > 0)
    throw new StartError(startProblems)
  const current = () => issuers.flatMap((issuer) => issuer?.() ?? [])
  return {
    keys,
    issuers: current,
    revocations,
    problems: () => followed.flatMap(({ problems }) => problems),
    notices: () =>
      current().flatMap(({ name, keys }) =>
        keyNotices(keys).map((notice) => `users \`${name}\`: not used: ${notice}`),
      ),
  }
}

function openKeys(directory: string, open: Opener): Promise<(() => ChainKeys) | undefined> {
  const paths = keyFiles.map((name) => join(directory, name))
  return open(
    'keys',
    paths,
    async () => {
      const keys = await loadKeys(directory)
      return 'signing' in keys ? keys : refuse(keys.map(({ reason }) => `${directory}: ${reason}`))
    },
    ({ signing, verifying }) => ({ names: [signing.public.kid], entries: verifying.keys.size }),
  )
}

async function openIssuer(
  { jwks, ...user }: Config['users'][number],
  open: Opener,
  report: Opening['report'],
): Promise<(() => UserIssuer) | undefined> {
  let inForce: ProviderKeys | undefined
  const read = async () => {
    const text = await readText(jwks)
    if (typeof text !== 'string') return text
    const keys = parseProviderKeys(text, inForce)
    if (isInvalid(keys)) return refuse([`${jwks}: ${keys.reason}`])
    inForce = keys
    return { ...user, keys }
  }
  return open(
    'issuer_keys',
    [jwks],
    read,
    ({ keys }) => ({ names: [user.name], entries: keys.keys.size }),
    ({ keys }) => report({ kind: 'issuer_keys_checked', issuer: user.name, unusable: keyNotices(keys) }),
  )
}

function openRevocations(path: string, open: Opener): Promise<(() => Revocations) | undefined> {
  const read = async () => {
    const revocations = await readRevocations(path)
    return 'actor' in revocations ? revocations : refuse(revocations.map(({ reason }) => reason))
  }
  return open('revocations', [path], read, (value) => ({ names: [], entries: countRevocations(value) }))
}

async function readText(path: string): Promise<string | ReturnType<typeof refuse>> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    return refuse([`${path}: cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`])
  }
}

function refuse(problems: readonly string[]) {
  return { kind: 'refusal', problems } as const
}

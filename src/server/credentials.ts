import { basename, join } from 'node:path'
import { type FollowOptions, followFiles } from '../base/follow/followed-files.ts'
import { reportAs } from '../base/follow/poller.ts'
import type { FollowedSource } from '../base/model/event.ts'
import { isInvalid } from '../base/model/invalid.ts'
import { isProblems, type Problems } from '../base/model/problems.ts'
import type { Config } from '../config/config.ts'
import { activeKeyFile, type ChainKeys, keyFiles, parseChainKeys } from '../decision/chain/keys.ts'
import { countRevocations, noRevocations, type Revocations } from '../decision/chain/revocations.ts'
import { parseRevocationsInTurns } from '../decision/chain/revocations-in-turns.ts'
import type { UserIssuer } from '../decision/identity/user-issuer.ts'
import { keyNotices, type ProviderKeys, parseProviderKeys } from '../decision/jws/provider-keys.ts'
import { type StartContext, StartError } from './start-context.ts'

/** All keys and revocations; each part follows its files. */
export type Credentials = {
  readonly keys: () => ChainKeys
  /** Every configured identity provider, with its keys. */
  readonly issuers: () => readonly UserIssuer[]
  readonly revocations: () => Revocations
  /** Problems that an operator must fix: identity providers' keys that cannot verify. */
  readonly notices: () => readonly string[]
}

/** Opens files one by one and collects all problems. */
type Opener = <T extends object>(
  what: FollowedSource,
  files: Pick<FollowOptions<T>, 'paths' | 'optional' | 'nameOf' | 'parse'>,
  describe: (value: T) => { readonly names: readonly string[]; readonly entries: number },
  afterwards?: (value: T) => void,
) => Promise<(() => T) | undefined>

/** Reads signing keys, identity providers' keys and revocations. Throws a `StartError` with every problem. */
export async function openCredentials(
  config: Config,
  { closing, followed, report, pollMs }: StartContext,
): Promise<Credentials> {
  const { chain, users } = config
  const startProblems: string[] = []
  const open: Opener = async (what, files, describe, afterwards) => {
    const opened = await followFiles({
      ...files,
      pollMs,
      onRead(value) {
        report({ kind: 'source_loaded', what, ...describe(value) })
        afterwards?.(value)
      },
      onNews: reportAs(what, report),
    })
    if (isProblems(opened)) {
      startProblems.push(...opened.problems)
      return undefined
    }
    closing.push(opened.files)
    followed.push(opened.files.poller)
    return () => opened.files.current
  }
  const keys = await openKeys(chain.keys, open)
  const issuers = await Promise.all(
    users.map((user, index) => openIssuer(user, `users.${index}.jwks`, open, report)),
  )
  const revocations =
    chain.revocations === undefined ? () => noRevocations : await openRevocations(chain.revocations, open)
  if (keys === undefined || revocations === undefined || startProblems.length > 0)
    throw new StartError(startProblems)
  const current = () => issuers.flatMap((issuer) => issuer?.() ?? [])
  return {
    keys,
    issuers: current,
    revocations,
    notices: () =>
      current().flatMap(({ name, keys }) =>
        keyNotices(keys).map((notice) => `users \`${name}\`: not used: ${notice}`),
      ),
  }
}

function openKeys(directory: string, open: Opener): Promise<(() => ChainKeys) | undefined> {
  const pathOf = (name: string) => join(directory, name)
  return open(
    'keys',
    {
      paths: [pathOf(activeKeyFile)],
      nameOf: (path) => `\`chain.keys\`: ${path}`,
      optional: keyFiles.filter((name) => name !== activeKeyFile).map(pathOf),
      parse(contents) {
        const texts = [...contents].map(([path, bytes]) => [basename(path), bytes.toString()] as const)
        const keys = parseChainKeys(new Map(texts))
        return isProblems(keys) ? refuse(keys.problems.map(({ reason }) => `${directory}: ${reason}`)) : keys
      },
    },
    ({ signing, verifying }) => ({ names: [signing.public.kid], entries: verifying.keys.size }),
  )
}

function openIssuer(
  { jwks, ...user }: Config['users'][number],
  key: string,
  open: Opener,
  report: StartContext['report'],
): Promise<(() => UserIssuer) | undefined> {
  let inForce: ProviderKeys | undefined
  return open(
    'issuer_keys',
    {
      paths: [jwks],
      nameOf: (path) => `\`${key}\`: ${path}`,
      parse(contents) {
        const keys = parseProviderKeys(contents.get(jwks)?.toString() ?? '', inForce)
        if (isInvalid(keys)) return refuse([`${jwks}: ${keys.reason}`])
        inForce = keys
        return { ...user, keys }
      },
    },
    ({ keys }) => ({ names: [user.name], entries: keys.keys.size }),
    ({ keys }) => report({ kind: 'issuer_keys_checked', issuer: user.name, unusable: keyNotices(keys) }),
  )
}

function openRevocations(path: string, open: Opener): Promise<(() => Revocations) | undefined> {
  return open(
    'revocations',
    {
      paths: [path],
      nameOf: (file) => `\`chain.revocations\`: ${file}`,
      async parse(contents) {
        const revocations = await parseRevocationsInTurns(contents.get(path) ?? Buffer.alloc(0))
        return isProblems(revocations)
          ? refuse(revocations.problems.map(({ reason }) => `${path}: ${reason}`))
          : revocations
      },
    },
    (value) => ({ names: [], entries: countRevocations(value) }),
  )
}

function refuse(problems: readonly string[]): Problems<string> {
  return { kind: 'problems', problems }
}

import { basename, join } from 'node:path'
import { type FollowOptions, followFiles } from '../base/follow/followed-files.ts'
import { reportAs } from '../base/follow/poller.ts'
import type { FollowedSource } from '../base/model/event.ts'
import { isInvalid } from '../base/model/invalid.ts'
import { isProblems, type Problems } from '../base/model/problems.ts'
import type { Config } from '../config/config.ts'
import type { FileKeys, RemoteKeys } from '../config/key-source.ts'
import { activeKeyFile, type ChainKeys, keyFiles, parseChainKeys } from '../decision/chain/keys.ts'
import { countRevocations, noRevocations, type Revocations } from '../decision/chain/revocations.ts'
import { parseRevocationsInTurns } from '../decision/chain/revocations-in-turns.ts'
import type { RoundShell } from '../decision/check/rounds.ts'
import type { UserIssuer } from '../decision/identity/user-issuer.ts'
import { keyNotices, type ProviderKeys, parseProviderKeys } from '../decision/jws/provider-keys.ts'
import { elapsedMs } from './by-deadline.ts'
import { type FollowedIssuer, followIssuer } from './provider-keys/followed-issuer.ts'
import { feedRequests } from './provider-keys/open-feed.ts'
import { createTokenProver, type TokenProver } from './provider-keys/token-prover.ts'
import { type StartContext, StartError } from './start-context.ts'

/** All keys and revocations; each part follows its files. */
export type Credentials = {
  readonly keys: () => ChainKeys
  /** Every configured identity provider, with its keys. */
  readonly issuers: () => readonly UserIssuer[]
  readonly revocations: () => Revocations
  /** Verifies a user's token, or fetches a provider's key that a token names and the set does not have. */
  readonly meet: RoundShell['meet']
  readonly prove: TokenProver
  /** Problems that an operator must fix: identity providers' keys that cannot verify or cannot be fetched. */
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
export async function openCredentials(config: Config, context: StartContext): Promise<Credentials> {
  const { closing, followed, report, pollMs } = context
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
    users.map(({ keySource, ...user }, index) =>
      keySource.kind === 'file'
        ? openIssuer(user, keySource, `users.${index}.${keySource.key}`, open, report)
        : openRemoteIssuer(user, keySource, config, context),
    ),
  )
  const revocations =
    chain.revocations === undefined ? () => noRevocations : await openRevocations(chain.revocations, open)
  if (keys === undefined || revocations === undefined || startProblems.length > 0)
    throw new StartError(startProblems)
  const opened = issuers.flatMap((issuer) => issuer ?? [])
  const prove = createTokenProver()
  const current = () => opened.map(({ issuer }) => issuer())
  const demands = new Map(
    opened.flatMap(({ name, demand }) => (demand === undefined ? [] : [[name, demand]])),
  )
  return {
    keys,
    issuers: current,
    revocations,
    prove,
    meet: (need, byMs) =>
      need.what === 'provider_proof'
        ? prove(need, byMs)
        : (demands.get(need.issuer)?.(need, byMs) ?? need.unmet),
    notices: () => [
      ...current().flatMap(({ name, keys }) =>
        keyNotices(keys).map((notice) => `users \`${name}\`: not used: ${notice}`),
      ),
      ...opened.flatMap(({ notices }) => notices?.() ?? []),
    ],
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

/** A provider whose keys are read from a file has neither demand nor notices of its own. */
type OpenedIssuer = Pick<FollowedIssuer, 'issuer'> & Partial<FollowedIssuer> & { readonly name: string }

async function openIssuer(
  user: Omit<UserIssuer, 'keys'>,
  { path }: FileKeys,
  key: string,
  open: Opener,
  report: StartContext['report'],
): Promise<OpenedIssuer | undefined> {
  let inForce: ProviderKeys | undefined
  const issuer = await open(
    'issuer_keys',
    {
      paths: [path],
      nameOf: (file) => `\`${key}\`: ${file}`,
      parse(contents) {
        const keys = parseProviderKeys(contents.get(path)?.toString() ?? '', inForce)
        if (isInvalid(keys)) return refuse([`${path}: ${keys.reason}`])
        inForce = keys
        return { ...user, keys }
      },
    },
    ({ keys }) => ({ names: [user.name], entries: keys.keys.size }),
    ({ keys }) => report({ kind: 'issuer_keys_checked', issuer: user.name, unusable: keyNotices(keys) }),
  )
  return issuer && { name: user.name, issuer }
}

async function openRemoteIssuer(
  user: Omit<UserIssuer, 'keys'>,
  source: RemoteKeys,
  { users, maxInFlight }: Config,
  { openFeed, report }: StartContext,
): Promise<OpenedIssuer | undefined> {
  const requests = feedRequests(users)
  const request = requests.find(({ name }) => name === user.name)
  if (request === undefined) return undefined
  const feed = await openFeed(request)
  const maxWaiting = Math.max(1, Math.floor((maxInFlight * waitingShare) / requests.length))
  const clocks = { nowMs: Date.now, elapsedMs }
  return { name: user.name, ...followIssuer(feed, { user, source, maxWaiting, ...clocks, report }) }
}

/** The part of all checks under way that may wait for keys of providers. */
const waitingShare = 1 / 4

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

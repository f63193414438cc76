import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { candidateEntry } from '../authoring/tests/candidate-entry.ts'
import { explainFileError } from '../base/follow/file-error.ts'
import type { Config } from '../config/config.ts'
import type { GitPolicy } from '../config/policy.ts'
import { activeKeyFile, generateKey } from '../decision/chain/keys.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { openRevisionSource, type RevisionSource } from '../policy/revision/revision-source.ts'
import { refuseGitFiles } from './git-files.ts'
import { openParts } from './parts.ts'
import { createPolicySource } from './policy-source.ts'
import { shadowNotices } from './readiness.ts'
import { standingOf } from './standing-notices.ts'
import { closeAll, type StartContext, StartError } from './start-context.ts'
import { refuseClientCa } from './tls/client-ca.ts'
import { secretsOf } from './tls/exposed-secrets.ts'
import { createTriedKeys } from './trial-keys.ts'

/** The result of opening everything that serving opens, without sockets and writes. */
export type Trial = {
  /** Why it could not serve: the messages of `serve` before it exits, or reasons of /readyz. */
  readonly problems: readonly string[]
  /** The notices of /readyz, and further ones that only this check gives. */
  readonly notices: readonly string[]
  /** The documents that were fetched to check it. */
  readonly found: readonly string[]
  /** The parts that were not checked, and how to check them. */
  readonly untried: readonly string[]
}

/** How much a trial checks. */
export type TrialOptions = {
  /** If false, private keys and other secrets are assumed to be valid. */
  readonly readsSecrets: boolean
  /** Fetches the remote of `policy.git` and loads it, in the trial's own directory. */
  readonly fetchesGit: boolean
  /** Fetches identity providers' keys. */
  readonly fetchesKeys: boolean
  readonly nowMs: number
}

const farMs = 2_000_000_000
/** Envoy's timeout for a check in the mesh configuration that Waywarden ships. */
const shippedTimeoutMs = 250

/**
 * Opens everything that `serve` opens, with the same code, and closes it again. Writes only to a directory that it then
 * removes.
 */
export async function tryConfig(config: Config, options: TrialOptions): Promise<Trial> {
  const directory = await mkdtemp(join(tmpdir(), 'waywarden-check-'))
  const closing: AsyncDisposable[] = []
  try {
    const keys = createTriedKeys(options.fetchesKeys)
    const context = { closing, followed: [], report: () => {}, pollMs: farMs, openFeed: keys.openFeed }
    const { problems, untried, ...tried } = await open(config, options, context, directory)
    return {
      ...tried,
      problems: [...problems, ...keys.problems],
      found: keys.found,
      untried: [...untried, ...keys.untried],
    }
  } finally {
    await closeAll(closing)
    await rm(directory, { recursive: true, force: true })
  }
}

async function open(
  config: Config,
  options: TrialOptions,
  context: StartContext,
  directory: string,
): Promise<Omit<Trial, 'found'>> {
  const tried = options.readsSecrets ? config : await withoutSecrets(config, directory)
  const problems: string[] = []
  const parts = await openParts(tried, context).catch((error: unknown) => {
    if (!(error instanceof StartError)) throw error
    problems.push(...error.problems)
    return undefined
  })
  if (!options.readsSecrets) problems.push(...(await refuseClientCas(config)))
  problems.push(...(await refuseGitFiles(tried.policy.git)))
  const policies = await loadPolicies(tried, options, context, directory)
  problems.push(...policies.problems)
  const standing = standingOf(
    tried,
    parts ?? { certificates: [], exposed: [] },
    policies.revision,
    options.nowMs,
  )
  return {
    problems: [...problems, ...standing.reasons],
    notices: [...standing.notices, ...policies.notices, ...remarksOf(config)],
    untried: [...policies.untried, ...(options.readsSecrets ? [] : skippedSecrets(config))],
  }
}

type Loaded = {
  readonly revision: Revision | undefined
  readonly problems: readonly string[]
  readonly notices: readonly string[]
  readonly untried: readonly string[]
}

async function loadPolicies(
  config: Config,
  { fetchesGit }: TrialOptions,
  context: StartContext,
  directory: string,
): Promise<Loaded> {
  const { git, shadow } = config.policy
  if (git !== undefined && !fetchesGit) {
    const untried = `the policies of ${git.url} ${git.ref}: \`--git\` fetches and loads them`
    return { revision: undefined, problems: [], notices: [], untried: [untried] }
  }
  const live = await follow(
    config,
    { ...config.policy, git: git && ownCopy(git, directory, 'live') },
    context,
  )
  const beside =
    shadow &&
    (await follow(
      config,
      { ...shadow, git: shadow.git && ownCopy(shadow.git, directory, 'shadow') },
      context,
    ))
  return {
    revision: live.current,
    problems: live.current === undefined ? ['no policy revision serves', ...live.problems] : [],
    notices: beside === undefined ? [] : shadowNotices(beside.problems, beside.current, live.current),
    untried: [],
  }
}

/** The follower's own copy may be in use by a running process. */
function ownCopy(git: GitPolicy, directory: string, name: string): GitPolicy {
  return { ...git, directory: join(directory, name) }
}

async function follow(
  config: Config,
  policy: Pick<Config['policy'], 'directory' | 'git'>,
  context: StartContext,
): Promise<RevisionSource> {
  const source = await openRevisionSource({
    source: createPolicySource({ policy, audit: config.audit }, context),
    load: { hopLifetimeMs: config.chain.hopLifetimeSeconds * 1000 },
    prover: candidateEntry,
    runsTests: config.policy.tests === 'required',
    maxStalenessMs: undefined,
    keep: async () => {},
    onServed: () => {},
    report: () => {},
    nowMs: Date.now,
  })
  context.closing.push(source)
  // A start waits only a few seconds.
  await source.refresh()
  return source
}

/** Checks the bundles that verify clients. They are not secret, although the keys beside them are. */
async function refuseClientCas({ listeners, chain }: Config): Promise<readonly string[]> {
  const problems = listeners.map(async ({ tls }, index) => {
    const key = `\`listeners.${index}.tls.clientCa\`: ${tls?.clientCa}`
    if (tls?.clientCa === undefined) return []
    try {
      const pem = await readFile(tls.clientCa, 'latin1')
      return refuseClientCa(pem, chain.trustDomain).map((problem) => `${key}: ${problem}`)
    } catch (cause) {
      return [`${key}: cannot be read: ${explainFileError(tls.clientCa, cause)}`]
    }
  })
  return (await Promise.all(problems)).flat()
}

/** Returns the configuration with a temporary key, and without other files that only the serving machine may have. */
async function withoutSecrets(config: Config, directory: string): Promise<Config> {
  await writeFile(join(directory, activeKeyFile), generateKey(), { mode: 0o600 })
  const { chain, listeners, audit, policy, tracing } = config
  return {
    ...config,
    chain: { ...chain, keys: directory },
    listeners: listeners.map((listener) => ({ ...listener, tls: undefined })),
    audit: { ...audit, key: undefined, pseudonyms: undefined },
    policy: {
      ...policy,
      git: policy.git && { ...policy.git, sshKey: undefined, tokenFile: undefined, proxyAuthFile: undefined },
    },
    tracing: tracing && {
      ...tracing,
      endpoints: tracing.endpoints.map((endpoint) => ({ ...endpoint, headers: [] })),
    },
  }
}

function skippedSecrets(config: Config): readonly string[] {
  const keys = new Set(secretsOf(config).map(({ key }) => `\`${key}\``))
  return [`secrets (\`--no-secrets\`): ${[...keys].join(', ')}`]
}

/** Warns about settings that are valid but fail with the mesh configuration that Waywarden ships. */
function remarksOf({ deadlineMs }: Config): readonly string[] {
  if (deadlineMs < shippedTimeoutMs) return []
  return [
    `\`deadline\` is ${deadlineMs} ms, and Envoy waits ${shippedTimeoutMs} ms by istio/mesh-config.yaml: it then answers 403 by itself, without code and record. Keep \`deadline\` below the provider's \`timeout\``,
  ]
}

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

/** What came of opening everything that serving opens, but for sockets and what is written. */
export type Trial = {
  /** Why it could not serve; each is what `serve` prints before it ends, or a reason of /readyz. */
  readonly problems: readonly string[]
  /** What /readyz would say all the same, and what only a look before the start can say. */
  readonly notices: readonly string[]
  /** What was not looked at, and how it can be. */
  readonly untried: readonly string[]
}

/** How far a trial goes. */
export type TrialOptions = {
  /** Without them, private keys and other secrets are taken to be good. */
  readonly readsSecrets: boolean
  /** Asks the remote of `policy.git` and loads what it has, in a directory of the trial's own. */
  readonly fetchesGit: boolean
  readonly nowMs: number
}

const farMs = 2_000_000_000
/** What Envoy waits for an answer by the mesh configuration that we ship. */
const shippedTimeoutMs = 250

/** Opens what `serve` opens, by the same code, and closes it again. Writes nothing outside of a directory that it removes. */
export async function tryConfig(config: Config, options: TrialOptions): Promise<Trial> {
  const directory = await mkdtemp(join(tmpdir(), 'waywarden-check-'))
  const closing: AsyncDisposable[] = []
  try {
    return await open(config, options, { closing, followed: [], report: () => {}, pollMs: farMs }, directory)
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
): Promise<Trial> {
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

/** The follower's own copy belongs to a process that may be running. */
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
  // A start waits for a few seconds only.
  await source.refresh()
  return source
}

/** The bundles that prove clients are no secrets, though the keys beside them are. */
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

/** The same configuration with a key of our own, and without what else only the machine that serves may have. */
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

/** What is no fault of the configuration alone, and will be one with the mesh as we ship it. */
function remarksOf({ deadlineMs }: Config): readonly string[] {
  if (deadlineMs < shippedTimeoutMs) return []
  return [
    `\`deadline\` is ${deadlineMs} ms, and Envoy waits ${shippedTimeoutMs} ms by istio/mesh-config.yaml: it then answers 403 by itself, without code and record. Keep \`deadline\` below the provider's \`timeout\``,
  ]
}

import { dirname, resolve } from 'node:path'
import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { toIssues } from '../base/document/issue.ts'
import { takeUnknownKeys, withoutMeant } from '../base/document/unknown-keys.ts'
import { type Path, readYaml } from '../base/document/yaml.ts'
import type { PeerSource } from '../base/model/caller.ts'
import type { Problems } from '../base/model/problems.ts'
import type { TrustDomain } from '../base/model/spiffe-id.ts'
import { withoutWrongParts } from './draft.ts'
import { overlay, variablePrefix } from './overlay.ts'
import { type GitPolicy, type ShadowSource, toPolicy } from './policy.ts'
import { findConflicts } from './rules.ts'
import { settingsSchema } from './schema.ts'
import type { Ingress, Settings, TlsFiles } from './settings.ts'
import { type Tracing, toTracing } from './tracing.ts'
import { toUserIssuer, type UserIssuerConfig } from './user-issuer.ts'
import type { Endpoint, SocketPath } from './values.ts'

/** One port or Unix socket for Envoy; `mode` is the socket's file mode. */
export type Listener = (Endpoint | (SocketPath & { readonly mode: number })) & {
  readonly peer: PeerSource
  readonly tls: TlsFiles | undefined
  readonly plaintext: 'behind-ztunnel' | undefined
  readonly transport: 'grpc-js' | 'lean'
  readonly reflection: boolean
  readonly maxConcurrentStreams: number
  readonly maxConnectionAgeSeconds: number
  readonly maxConnectionAgeGraceSeconds: number
}

/** The configuration of a running Waywarden. Paths are absolute, and the object is frozen. */
export type Config = {
  readonly version: 1
  readonly listeners: readonly Listener[]
  readonly admin: Endpoint
  readonly deadlineMs: number
  /** The number of deciding processes. With more than one, a primary accepts connections for them. */
  readonly workers: number
  /** The maximum number of checks in flight in each process; above it: `overloaded`. */
  readonly maxInFlight: number
  readonly drainSeconds: number
  readonly chain: {
    readonly issuer: string
    readonly trustDomain: TrustDomain
    readonly trustDomainAliases: readonly TrustDomain[]
    readonly header: string
    readonly keys: string
    readonly revocations: string | undefined
    readonly hopLifetimeSeconds: number
    readonly maxLifetimeSeconds: number
    readonly ceiling: 'fixed' | 'token'
    readonly maxDepth: number
  }
  readonly ingress: Ingress
  readonly users: readonly UserIssuerConfig[]
  /** Exactly one of `directory` and `git`. */
  readonly policy: {
    readonly directory?: string | undefined
    readonly git?: GitPolicy | undefined
    readonly tests: 'required' | 'ignored'
    readonly maxStalenessMs?: number | undefined
    /** Exactly one of `directory` and `git`, as above. */
    readonly shadow?: ShadowSource | undefined
  }
  readonly audit: {
    readonly directory: string
    readonly mode: 'written' | 'durable' | 'buffered'
    readonly key: string | undefined
    readonly pseudonyms: string | undefined
    readonly retention: { readonly ageMs: number | undefined; readonly bytes: number | undefined }
    readonly stdout: boolean
    readonly maxSegmentBytes: number
  }
  readonly recovery:
    | {
        readonly trace: boolean
        readonly headers: readonly string[]
        readonly maxChains: number
        /** Why several replicas are safe; `undefined`: there is only one. */
        readonly replicas?: string | undefined
      }
    | undefined
  readonly cache: { readonly decisions: number; readonly chains: number }
  /** Services whose requests are judged and recorded but not refused, until a time; `services` undefined means all. */
  readonly observe: { readonly untilMs: number; readonly services: readonly string[] | undefined } | undefined
  readonly tracing: Tracing | undefined
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' }
}

/**
 * A problem, its place, and what to do. `place` is `file:line`, an environment variable, or empty for a file that the
 * configuration names.
 */
export type ConfigProblem = {
  readonly path: string
  readonly place: string
  readonly message: string
  /** The line, and a caret under the column, as two lines. */
  readonly excerpt?: string
}

/** An unusable configuration, with all its problems. */
export type ConfigProblems = Problems<ConfigProblem>

/** Returns the environment variables of Waywarden. */
export function readEnv(
  env: Readonly<Record<string, string | undefined>> = process.env,
): ReadonlyMap<string, string> {
  const ours = Object.entries(env).filter(
    ([name, value]) => name.startsWith(variablePrefix) && value !== undefined,
  )
  return new Map(ours.map(([name, value]) => [name, value ?? '']))
}

/** Parses waywarden.yaml and applies the environment. Never throws. Relative paths start at the file's folder. */
export function parseConfig(
  file: string,
  text: string,
  env: ReadonlyMap<string, string>,
): Config | ConfigProblems {
  const document = readYaml(text)
  if (document.kind === 'fault') {
    const { line, message, excerpt } = document
    return { kind: 'problems', problems: [{ path: '', place: `${file}:${line}`, message, excerpt }] }
  }
  // An empty file lacks every key.
  const root = document.root ?? {}
  const unknown = takeUnknownKeys(settingsSchema, root)
  const overlaid = overlay(settingsSchema, root, env)
  const setBy = new Map(
    overlaid.flatMap((item) => (item.kind === 'set' ? [[dotted(item.path), item.variable]] : [])),
  )
  const inEnv = overlaid.flatMap((item) =>
    item.kind === 'refused' ? [{ path: '', place: item.variable, message: item.message }] : [],
  )
  const problemAt = ({ path, message }: { path: Path; message: string }): ConfigProblem => ({
    path: dotted(path),
    place: setBy.get(dotted(path)) ?? `${file}:${document.positionOf(path).line}`,
    message,
  })
  const written = {
    root,
    writtenAt: (path: Path) => (setBy.has(dotted(path)) ? undefined : document.writtenAt(path)),
  }
  const parsed = v.safeParse(settingsSchema, root)
  const found = (parsed.issues ?? []).flatMap((issue) => toIssues(settingsSchema, issue, written))
  const conflicts = findConflicts(parsed.success ? parsed.output : withoutWrongParts(parsed.output, found))
  const issues = [...unknown, ...withoutMeant(found, unknown), ...conflicts]
  const problems = [...inEnv, ...issues.map(problemAt)].sort(byPlace)
  if (!parsed.success || problems.length > 0) return { kind: 'problems', problems }
  return freeze(toConfig(parsed.output, dirname(resolve(file))))
}

/** Formats the problem in one line: place, key, problem, remedy. */
export function formatConfigProblem({ path, place, message }: ConfigProblem): string {
  return [place, path === '' ? '' : `\`${path}\``, message].filter((part) => part !== '').join(': ')
}

/** Returns the JSON Schema of waywarden.yaml, for editors. */
export function configJsonSchema(): object {
  return {
    title: 'waywarden.yaml',
    ...toJsonSchema(settingsSchema, { typeMode: 'input', errorMode: 'ignore', ignoreActions: ['metadata'] }),
  }
}

function byPlace(one: ConfigProblem, other: ConfigProblem): number {
  return one.place.localeCompare(other.place, 'en', { numeric: true })
}

function dotted(path: Path): string {
  return path.join('.')
}

function toConfig(settings: Settings, folder: string): Config {
  const {
    listeners,
    admin,
    deadline,
    drain,
    chain,
    users,
    policy,
    audit,
    observe,
    recovery,
    tracing,
    ...same
  } = settings
  const { hopLifetime, maxLifetime, ...link } = chain
  const at = (path: string): string => resolve(folder, path)
  return {
    ...same,
    listeners: listeners.map((listener) => toListener(listener, at)),
    admin: admin.address,
    deadlineMs: deadline,
    drainSeconds: drain / 1000,
    chain: {
      ...link,
      keys: at(chain.keys),
      revocations: chain.revocations === undefined ? undefined : at(chain.revocations),
      hopLifetimeSeconds: hopLifetime / 1000,
      maxLifetimeSeconds: maxLifetime / 1000,
    },
    users: users.map((user) => toUserIssuer(user, at)),
    policy: toPolicy(policy, at),
    recovery,
    tracing: tracing && toTracing(tracing, at),
    observe: observe && { untilMs: observe.until.startsAtMs, services: observe.services },
    audit: {
      directory: at(audit.directory),
      mode: audit.mode,
      key: audit.key === undefined ? undefined : at(audit.key),
      pseudonyms: audit.pseudonyms === undefined ? undefined : at(audit.pseudonyms),
      retention: { ageMs: audit.retention.age, bytes: audit.retention.size },
      stdout: audit.stdout,
      maxSegmentBytes: audit.segmentSize,
    },
  }
}

function toListener(listener: Settings['listeners'][number], at: (path: string) => string): Listener {
  const { address, socketAccess, tls, plaintext, maxConnectionAge, maxConnectionAgeGrace, ...same } = listener
  const clientCa = tls?.clientCa === undefined ? undefined : at(tls.clientCa)
  return {
    ...same,
    ...(address.path !== undefined
      ? { ...address, mode: socketAccess === 'group' ? 0o660 : 0o600 }
      : address),
    tls: tls === undefined ? undefined : { cert: at(tls.cert), key: at(tls.key), clientCa },
    plaintext,
    maxConnectionAgeSeconds: maxConnectionAge / 1000,
    maxConnectionAgeGraceSeconds: maxConnectionAgeGrace / 1000,
  }
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze)
  return value
}

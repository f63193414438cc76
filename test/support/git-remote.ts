import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { createGitSource, type GitSourceOptions } from '../../src/policy/source/git-source.ts'
import type { Found, PolicySource } from '../../src/policy/source/policy-source.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A real repository of the test's own, as a remote. */
export type GitRemote = {
  readonly directory: string
  readonly url: string
  readonly git: (...args: readonly string[]) => string
  /** Writes files (`undefined` removes one), commits, and returns the commit. */
  readonly commit: (
    files: Readonly<Record<string, string | undefined>>,
    ...flags: readonly string[]
  ) => string
}

/** Files enough for a source, which does not judge them. */
export const smallRepository: Readonly<Record<string, string>> = {
  'services.yaml': 'services: []\n',
  'team/a.cedar': 'permit (principal, action, resource);\n',
}

/** The files of the sample policy repository, without its tests. */
export function samplePolicies(): Readonly<Record<string, string>> {
  const names = readdirSync('policies', { recursive: true, encoding: 'utf8' })
  const files = names.filter(
    (name) => /\.(?:cedar|cedarschema|yaml|json)$/.test(name) && !name.startsWith('tests/'),
  )
  return Object.fromEntries(files.map((name) => [name, readFileSync(join('policies', name), 'utf8')]))
}

const identity = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@hospital.example' }
const env = {
  ...identity,
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@hospital.example',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  PATH: '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin',
}

/** Creates a repository with one commit on `main`. */
export function createRemote(files: Readonly<Record<string, string>>): GitRemote {
  const directory = join(temporaryDirectory(), 'remote')
  mkdirSync(directory)
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-C', directory, ...args], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  const commit: GitRemote['commit'] = (changed, ...flags) => {
    for (const [name, text] of Object.entries(changed)) write(join(directory, name), text)
    git('add', '--all')
    git('commit', '--quiet', '--allow-empty', '--message', 'change', ...flags)
    return git('rev-parse', 'HEAD')
  }
  git('init', '--quiet', '--initial-branch=main')
  commit(files)
  return { directory, url: pathToFileURL(directory).href, git, commit }
}

/** Options that follow `main` of a remote, overlaid. */
export function gitOptions(
  remote: Pick<GitRemote, 'url'>,
  overlay: Partial<GitSourceOptions> = {},
): GitSourceOptions {
  return {
    url: remote.url,
    ref: 'main',
    path: '',
    pinRef: 'refs/waywarden/pin',
    directory: join(temporaryDirectory(), 'copy'),
    intervalMs: 3_600_000,
    timeoutMs: 60_000,
    maxBytes: 64 * 1024 * 1024,
    rewrites: 'refuse',
    sshKey: undefined,
    knownHosts: undefined,
    tokenFile: undefined,
    tokenUser: 'x-access-token',
    ca: undefined,
    proxy: undefined,
    proxyAuthFile: undefined,
    allowedSigners: undefined,
    ...overlay,
  }
}

/** Looks, and takes what was found as served. */
export async function follow(source: PolicySource, nowMs = 1000): Promise<Found> {
  const found = await source.look()
  if (found.kind !== 'found') throw new TypeError(JSON.stringify(found))
  await source.accept(found, nowMs)
  return found
}

/** Changes of a remote before and after it is followed; `first` is its first commit. */
type FollowedRemote = {
  readonly prepare: ((remote: GitRemote, first: string) => unknown) | undefined
  readonly change: (remote: GitRemote, first: string) => unknown
  readonly result: {
    readonly remote: GitRemote
    readonly first: string
    readonly options: GitSourceOptions
    /** Options with a copy of their own of what was kept. */
    readonly copy: () => GitSourceOptions
  }
}

/** A remote that was followed and then changed, and copies of what was kept of it. */
export async function followRemote(
  prepare: FollowedRemote['prepare'],
  change: FollowedRemote['change'],
): Promise<FollowedRemote['result']> {
  const remote = createRemote(smallRepository)
  const first = remote.git('rev-parse', 'HEAD')
  remote.commit({ 'team/c.cedar': '// second\n' })
  prepare?.(remote, first)
  const options = gitOptions(remote)
  await follow(createGitSource(options))
  change(remote, first)
  const copy = () => {
    const directory = join(temporaryDirectory(), 'copy')
    cpSync(options.directory, directory, { recursive: true })
    return { ...options, directory }
  }
  return { remote, first, options, copy }
}

/** A remote that was followed and then spoiled: what it says is refused, and what was served stays. */
export type SpoiledRemote = {
  readonly name: string
  readonly spoil: (remote: GitRemote) => unknown
  readonly mentions: RegExp
  readonly overlay?: Partial<GitSourceOptions>
}

/** Defines the test of one spoiled remote. */
export function itRefusesRemote({ name, spoil, mentions, overlay }: SpoiledRemote): void {
  it(`refuses ${name}, and keeps the last good`, async () => {
    const remote = createRemote(smallRepository)
    const options = gitOptions(remote, overlay)
    const source = createGitSource(options)
    const { files: served } = await follow(source)
    spoil(remote)
    expect(await lookAt(source)).to.match(mentions)
    const recalled = await createGitSource(options).recall()
    expect(recalled?.found).to.have.nested.property('files.id', served.id)
  })
}

/** Polls a source: the revision's id, or every message why there is none. */
export async function lookAt(source: PolicySource): Promise<string> {
  const found = await source.look()
  return found.kind === 'found'
    ? found.files.id
    : found.problems.map(({ file, message }) => `${file}: ${message}`).join('\n')
}

function write(path: string, text: string | undefined): void {
  mkdirSync(dirname(path), { recursive: true })
  if (text === undefined) rmSync(path)
  else writeFileSync(path, text)
}

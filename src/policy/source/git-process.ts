import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { describeCause } from '../../base/model/fault.ts'
import { explainComplaint } from './git-complaint.ts'

/** How to access a remote. Each credential is a file that is read for each call, so that it can be renewed. */
export type GitAccess = {
  readonly url: string
  readonly sshKey: string | undefined
  readonly knownHosts: string | undefined
  readonly tokenFile: string | undefined
  readonly tokenUser: string
  /** PEM file of the CAs for an https remote. */
  readonly ca: string | undefined
  /** The HTTP proxy for an https remote. */
  readonly proxy: string | undefined
  /** A file with `user:password` for the proxy. */
  readonly proxyAuthFile: string | undefined
  /** A file of allowed SSH signers, as `ssh-keygen` reads it. */
  readonly allowedSigners: string | undefined
}

/** Why a git call failed. `exitCode` is set only if git itself exited with one, which is the answer of some calls. */
export type GitFailure = {
  readonly kind: 'git-failure'
  readonly message: string
  readonly exitCode: number | undefined
}

/** One call of git. */
export type GitCall = {
  readonly args: readonly string[]
  readonly input?: string
  /** Aborts the call; its reason becomes the failure's message. */
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/** Runs git and resolves with its output. Never throws. */
export type Git = (call: GitCall) => Promise<Buffer | GitFailure>

const defaultTimeoutMs = 30_000
const maxOutputBytes = 128 * 1024 * 1024
const maxComplaintLength = 4000
// A fixed search path, because a caller who sets PATH could choose the program.
const searchPath = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin'
// Only this table and the arguments configure git: no hooks, helpers or rewrites of the system, the user or the
// repository.
const settings: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.symlinks': 'false',
  'credential.helper': '',
  'fetch.recurseSubmodules': 'false',
  'gc.autoDetach': 'false',
  'gpg.format': 'ssh',
  'gpg.minTrustLevel': 'fully',
  // Only SSH signatures count, not keys of some keyring.
  'gpg.openpgp.program': '/bin/false',
  'gpg.x509.program': '/bin/false',
  'http.followRedirects': 'false',
  'http.lowSpeedLimit': '1000',
  'http.lowSpeedTime': '30',
  'protocol.allow': 'never',
  'protocol.file.allow': 'always',
  'protocol.https.allow': 'always',
  'protocol.ssh.allow': 'always',
  'transfer.fsckObjects': 'true',
}

/**
 * Returns a runner for git in one bare repository, isolated from system and user configuration. Aborting `ended` ends all
 * running calls. `program` is searched in the fixed search path unless it is a path.
 */
export function createGit(directory: string, access: GitAccess, ended?: AbortSignal, program = 'git'): Git {
  return async (call) => {
    try {
      const env = await toEnvironment(directory, access)
      return await run([program, `--git-dir=${directory}`], env, call, ended)
    } catch (cause) {
      return gitFailure(describeCause(cause))
    }
  }
}

/** Returns the failure of a call for a reason other than git's own message. */
export function gitFailure(message: string, exitCode?: number): GitFailure {
  return { kind: 'git-failure', message, exitCode }
}

/** True if a call failed. */
export function isGitFailure<V>(value: V): value is Extract<V, GitFailure>
export function isGitFailure(value: { readonly kind?: unknown } | undefined): boolean {
  return value?.kind === 'git-failure'
}

function run(
  program: readonly [string, ...(readonly string[])],
  env: Record<string, string>,
  call: GitCall,
  ended: AbortSignal | undefined,
): Promise<Buffer | GitFailure> {
  return new Promise((resolve) => {
    const [name, ...args] = [...program, ...call.args]
    // A separate process group, so that ssh, index-pack and other children of git end with it.
    const child = spawn(name, args, { cwd: '/', env, detached: true, stdio: 'pipe' })
    // Despite its types, a process that could not be started has no streams.
    if (child.pid === undefined) child.on('error', (cause) => resolve(toFailure(cause)))
    else resolve(attend(child, child.pid, call, ended))
  })
}

/** Writes a process' input and collects its output, within the limits of the call. */
function attend(
  child: ChildProcessWithoutNullStreams,
  pid: number,
  call: GitCall,
  ended: AbortSignal | undefined,
): Promise<Buffer | GitFailure> {
  return new Promise((resolve) => {
    const output: Buffer[] = []
    let size = 0
    let complaint = ''
    let reason: string | undefined
    const stop = (why: string) => {
      reason ??= why
      killGroup(pid)
    }
    const timeoutMs = call.timeoutMs ?? defaultTimeoutMs
    const timer = setTimeout(() => stop(`git took longer than ${timeoutMs / 1000} s`), timeoutMs)
    // Not `AbortSignal.any`, whose result lives as long as the longest-lived of its signals.
    const signals = [call.signal, ended].filter((signal) => signal !== undefined)
    const onAbort = ({ target }: Event) =>
      stop(target instanceof AbortSignal ? String(target.reason) : 'aborted')
    for (const signal of signals) {
      signal.addEventListener('abort', onAbort)
      if (signal.aborted) stop(String(signal.reason))
    }
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxOutputBytes) stop(`git printed more than ${maxOutputBytes} bytes`)
      else output.push(chunk)
    })
    // Output that was lost must not look like a shorter answer.
    child.stdout.on('error', (cause) => stop(cause.message))
    child.stderr.on('data', (chunk: Buffer) => {
      if (complaint.length < maxComplaintLength) complaint += chunk.toString()
    })
    // A git that has ended reads no more; its exit code gives the reason.
    child.stdin.on('error', () => {})
    child.stdin.end(call.input ?? '')
    const finish = (result: Buffer | GitFailure) => {
      clearTimeout(timer)
      for (const signal of signals) signal.removeEventListener('abort', onAbort)
      resolve(result)
    }
    child.on('error', (cause) => finish(toFailure(cause)))
    child.on('close', (code) => {
      if (code === 0 && reason === undefined) return finish(Buffer.concat(output))
      const complained = explainComplaint(complaint) || `git ended with ${code ?? 'a signal'}`
      finish(reason === undefined ? gitFailure(complained, code ?? undefined) : gitFailure(reason))
    })
  })
}

function toFailure(cause: Error): GitFailure {
  return gitFailure(`git cannot be run: ${cause.message}`)
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has already ended.
  }
}

async function toEnvironment(directory: string, access: GitAccess): Promise<Record<string, string>> {
  const config = [...Object.entries(settings), ...(await accessSettings(access))]
  return {
    PATH: searchPath,
    // Set to isolated values: no netrc, no ssh configuration, no keyring.
    HOME: directory,
    XDG_CONFIG_HOME: directory,
    LC_ALL: 'C',
    GIT_ALLOW_PROTOCOL: 'https:ssh:file',
    GIT_ASKPASS: '/bin/false',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_PROTOCOL_FROM_USER: '0',
    GIT_TERMINAL_PROMPT: '0',
    SSH_ASKPASS: '/bin/false',
    GIT_SSH_COMMAND: sshCommand(access),
    // In the environment, because every user of the machine can read arguments.
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(config.flatMap(([key, value], index) => toVariables(index, key, value))),
  }
}

function toVariables(index: number, key: string, value: string): [string, string][] {
  return [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]
}

async function accessSettings(access: GitAccess): Promise<[string, string][]> {
  const { url, tokenFile, tokenUser, ca, proxy, proxyAuthFile, allowedSigners } = access
  const found: [string, string][] = []
  if (ca !== undefined) found.push(['http.sslCAInfo', ca])
  if (proxy !== undefined) found.push(['http.proxy', await proxyUrl(proxy, proxyAuthFile)])
  if (allowedSigners !== undefined) found.push(['gpg.ssh.allowedSignersFile', allowedSigners])
  if (tokenFile !== undefined) {
    const token = (await readFile(tokenFile, 'utf8')).trim()
    const basic = Buffer.from(`${tokenUser}:${token}`).toString('base64')
    found.push([`http.${url}.extraHeader`, `Authorization: Basic ${basic}`])
  }
  return found
}

async function proxyUrl(proxy: string, authFile: string | undefined): Promise<string> {
  if (authFile === undefined) return proxy
  const [, user, password] = /^([^:]+):(.+)$/.exec((await readFile(authFile, 'utf8')).trim()) ?? []
  if (user === undefined || password === undefined)
    throw new TypeError(`expected \`user:password\` in \`${authFile}\``)
  return proxy.replace('//', `//${encodeURIComponent(user)}:${encodeURIComponent(password)}@`)
}

/** Git passes this to a shell, so paths are quoted. ssh asks no questions and accepts no unknown host. */
function sshCommand({ sshKey, knownHosts }: GitAccess): string {
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    'IdentitiesOnly=yes',
    'ClearAllForwardings=yes',
    'ConnectTimeout=10',
    `UserKnownHostsFile="${knownHosts ?? '/dev/null'}"`,
    ...(sshKey === undefined ? [] : [`IdentityFile="${sshKey}"`]),
  ]
  return ['ssh', '-F', '/dev/null', ...options.flatMap((option) => ['-o', quote(option)])].join(' ')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

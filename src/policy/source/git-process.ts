import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { describeCause } from '../../base/model/fault.ts'
import { explainComplaint } from './git-complaint.ts'

/** How to reach a remote; each credential is a file, read anew for each call so that it can be renewed. */
export type GitAccess = {
  readonly url: string
  readonly sshKey: string | undefined
  readonly knownHosts: string | undefined
  readonly tokenFile: string | undefined
  readonly tokenUser: string
  /** PEM file of the CAs that may vouch for an https remote. */
  readonly ca: string | undefined
  /** The HTTP proxy through which an https remote is reached. */
  readonly proxy: string | undefined
  /** Holds `user:password` for the proxy. */
  readonly proxyAuthFile: string | undefined
  /** Whose SSH signatures count; a file as `ssh-keygen` reads it. */
  readonly allowedSigners: string | undefined
}

/** Why a call to git came to nothing; `exitCode` only when git itself ended with one, by which some calls answer. */
export type GitFailure = {
  readonly kind: 'git-failure'
  readonly message: string
  readonly exitCode: number | undefined
}

/** One call to git. */
export type GitCall = {
  readonly args: readonly string[]
  readonly input?: string
  /** Ends the call early; its reason becomes the failure's message. */
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/** Runs git and resolves with what it printed. Never throws. */
export type Git = (call: GitCall) => Promise<Buffer | GitFailure>

const defaultTimeoutMs = 30_000
const maxOutputBytes = 128 * 1024 * 1024
const maxComplaintLength = 4000
// Not the caller's: who can set PATH for us could choose the program.
const searchPath = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin'
// Nothing but this table and the arguments steers git: no system's, user's or repository's hooks, helpers or rewrites.
const settings: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.symlinks': 'false',
  'credential.helper': '',
  'fetch.recurseSubmodules': 'false',
  'gc.autoDetach': 'false',
  'gpg.format': 'ssh',
  'gpg.minTrustLevel': 'fully',
  // Only SSH signatures count; keys that some keyring happens to hold do not.
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
 * Makes a git that works in one bare repository, `directory`, as it would for nobody else; `ended` ends every call.
 * `program` is looked for in the search path of ours unless it is a path.
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

/** A call that came to nothing, for a reason other than what git itself says. */
export function gitFailure(message: string, exitCode?: number): GitFailure {
  return { kind: 'git-failure', message, exitCode }
}

/** Whether a call came to nothing. */
export function isGitFailure(value: object): value is GitFailure {
  return 'kind' in value && value.kind === 'git-failure'
}

function run(
  program: readonly [string, ...(readonly string[])],
  env: Record<string, string>,
  call: GitCall,
  ended: AbortSignal | undefined,
): Promise<Buffer | GitFailure> {
  return new Promise((resolve) => {
    const [name, ...args] = [...program, ...call.args]
    // A group of its own, so that ssh, index-pack and whatever else git has started end with it.
    const child = spawn(name, args, { cwd: '/', env, detached: true, stdio: 'pipe' })
    // A process that could not be started has no streams, whatever their types say.
    if (child.pid === undefined) child.on('error', (cause) => resolve(toFailure(cause)))
    else resolve(attend(child, child.pid, call, ended))
  })
}

/** Feeds a process and collects what it prints, within the limits of the call. */
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
    // Not `AbortSignal.any`: what it makes lives as long as the longest of its parts.
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
    // What was lost on the way to us must not read as a shorter answer.
    child.stdout.on('error', (cause) => stop(cause.message))
    child.stderr.on('data', (chunk: Buffer) => {
      if (complaint.length < maxComplaintLength) complaint += chunk.toString()
    })
    // A git that has ended reads no more; its exit code says why.
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
    // It has ended by itself.
  }
}

async function toEnvironment(directory: string, access: GitAccess): Promise<Record<string, string>> {
  const config = [...Object.entries(settings), ...(await accessSettings(access))]
  return {
    PATH: searchPath,
    // Neither is the caller's: no netrc, no ssh configuration, no keyring.
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
    // Through the environment: arguments can be read by everybody on the machine.
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

/** Git hands this to a shell, so paths are quoted; ssh itself takes no question and no host that it does not know. */
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

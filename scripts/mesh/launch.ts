import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const project = join(import.meta.dirname, '..', '..')
const inside = 'WAYWARDEN_MESH_DIRECTORY'
const orderlyEndMs = 20_000

/** The folders of one run. `directory` is deleted at the end; `logs` stays until the next run. */
export type RunFolders = { readonly directory: string; readonly logs: string }

/** The folders, when this process has been started by `launch`; `undefined` otherwise. */
export function runFolders(): RunFolders | undefined {
  const directory = process.env[inside]
  return directory === undefined ? undefined : toFolders(directory)
}

/**
 * Starts a module again in namespaces of its own for processes, network and mounts, as root or as the only user of a
 * user namespace. When its first process ends, the kernel ends all others and removes networks and mounts.
 * Resolves to its exit code.
 */
export async function launch(module: string, args: readonly string[]): Promise<number> {
  const problem = findProblem()
  if (problem !== undefined) {
    console.error(`mesh: ${problem}`)
    return 1
  }
  mkdirSync(join(project, '.run'), { recursive: true })
  const folders = toFolders(mkdtempSync(join(project, '.run', 'mesh-')))
  rmSync(folders.logs, { recursive: true, force: true })
  mkdirSync(folders.logs, { recursive: true })
  const env = {
    ...process.env,
    [inside]: folders.directory,
    ...(isRoot() ? {} : { WAYWARDEN_MESH_USERS: 'one' }),
  }
  const node = [process.execPath, '--enable-source-maps', '--import', 'tsx', module, ...args]
  const child = spawn('unshare', [...unshareFlags(), '--', ...node], {
    env,
    cwd: project,
    // The other end of its input: when this process is gone, so is the reason to run.
    stdio: ['pipe', 'inherit', 'inherit'],
    detached: true,
  })
  // `unshare` passes no signal on, and the first process of a namespace ignores those that it does not handle. The end of
  // its input ends it in order; the death of `unshare` kills it.
  const stop = (): void => {
    child.stdin.end()
    setTimeout(() => child.kill('SIGKILL'), orderlyEndMs).unref()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => resolve(code ?? 1))
    })
  } finally {
    rmSync(folders.directory, { recursive: true, force: true })
  }
}

/** Ends this process, inside, when `launch` is gone. */
export function endWithLauncher(): void {
  process.stdin.on('end', () => process.exit(1)).resume()
}

function toFolders(directory: string): RunFolders {
  return { directory, logs: join(project, '.run', 'mesh') }
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

function unshareFlags(): readonly string[] {
  const flags = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc']
  return isRoot() ? flags : ['--map-root-user', ...flags]
}

function findProblem(): string | undefined {
  if (process.platform !== 'linux') return 'expected Linux, whose network namespaces stand for pods'
  const programs = ['unshare', 'nsenter', 'ip', 'setpriv', 'chroot', 'bash', 'curl', 'go']
  const missing = programs.filter(
    (name) => spawnSync('which', [name]).status !== 0 && !existsSync(`/usr/sbin/${name}`),
  )
  if (missing.length > 0)
    return `expected these programs on PATH: ${missing.join(', ')} (Debian: util-linux, iproute2, curl, golang)`
  const { status, stderr } = spawnSync('unshare', [...unshareFlags(), 'true'], { encoding: 'utf8' })
  if (status === 0) return undefined
  return `cannot create namespaces: ${stderr.trim()}. Run it as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces > 0, no AppArmor restriction of them)`
}

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ImageTree } from './image.ts'
import type { Programs } from './programs.ts'

const project = join(import.meta.dirname, '..', '..')
const inside = 'WAYWARDEN_MESH_RUN'
const orderlyEndMs = 20_000

/** The files that are made before a run, because its namespaces cannot reach a registry. */
export type Prepared = { readonly programs: Programs; readonly image: ImageTree }

/** One run. `directory` is deleted at the end; `logs` stays until the next run. */
export type Run = Prepared & { readonly directory: string; readonly logs: string }

/** The run that `launch` has started this process for; `undefined` otherwise. */
export function currentRun(): Run | undefined {
  const run = process.env[inside]
  return run === undefined ? undefined : (JSON.parse(run) as Run)
}

/**
 * Starts a module again in namespaces of its own for processes, network and mounts, as root or as the only user of a
 * user namespace. When its first process ends, the kernel ends all others and removes networks and mounts.
 * Resolves to its exit code.
 */
export async function launch(prepared: Prepared, module: string, args: readonly string[]): Promise<number> {
  const problem = findProblem()
  if (problem !== undefined) {
    console.error(`mesh: ${problem}`)
    return 1
  }
  mkdirSync(join(project, '.run'), { recursive: true })
  const run: Run = {
    ...prepared,
    directory: mkdtempSync(join(project, '.run', 'mesh-')),
    logs: join(project, '.run', 'mesh'),
  }
  rmSync(run.logs, { recursive: true, force: true })
  mkdirSync(run.logs, { recursive: true })
  const env = {
    ...process.env,
    [inside]: JSON.stringify(run),
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
    rmSync(run.directory, { recursive: true, force: true })
  }
}

/** Ends this process, inside, when `launch` is gone. */
export function endWithLauncher(): void {
  process.stdin.on('end', () => process.exit(1)).resume()
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

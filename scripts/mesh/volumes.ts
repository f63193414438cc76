import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Api, KubeObject } from './kubernetes.ts'
import { nodeAddress } from './network.ts'
import { accountOf, fieldOf, type PodObject, type VolumeObject, type VolumeSource } from './pod-object.ts'

type MapObject = KubeObject & {
  readonly data?: Readonly<Record<string, string>>
  readonly binaryData?: Readonly<Record<string, string>>
}

type File = { readonly content: string | Buffer; readonly mode: number | undefined }

/** The pod for which a volume is made. `isRoot`: files can be given to other users. */
export type VolumeOwner = {
  readonly api: Api
  readonly pod: PodObject
  readonly address: string
  readonly isRoot: boolean
}

/** Fills a volume of a pod: `emptyDir` and claims are folders, the rest are files as a kubelet lays them. */
export async function fillVolume(owner: VolumeOwner, volume: VolumeObject, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true })
  const group = owner.isRoot ? owner.pod.spec.securityContext?.fsGroup : undefined
  if (volume.emptyDir !== undefined || volume.persistentVolumeClaim !== undefined) {
    chmodSync(directory, 0o2777)
    if (group !== undefined) chownSync(directory, 0, group)
    return
  }
  const mode =
    volume.configMap?.defaultMode ?? volume.secret?.defaultMode ?? volume.projected?.defaultMode ?? 0o644
  const files = new Map<string, File>()
  for (const source of volume.projected?.sources ?? [volume]) await collect(owner, source, files)
  writeAtomically(directory, files, mode, group)
}

/** The ConfigMap or Secret that a volume follows while its pod runs, as a path of the API. */
export function followedBy(pod: PodObject, volume: VolumeObject): string | undefined {
  const namespace = `/api/v1/namespaces/${pod.metadata.namespace}`
  if (volume.configMap !== undefined) return `${namespace}/configmaps/${volume.configMap.name}`
  if (volume.secret !== undefined) return `${namespace}/secrets/${volume.secret.secretName}`
  return undefined
}

async function collect(owner: VolumeOwner, source: VolumeSource, files: Map<string, File>): Promise<void> {
  const { api, pod, address } = owner
  const namespace = `/api/v1/namespaces/${pod.metadata.namespace}`
  const map = source.configMap ?? source.secret
  if (map !== undefined) {
    const name = source.configMap?.name ?? source.secret?.secretName ?? source.secret?.name
    const kind = source.configMap === undefined ? 'secrets' : 'configmaps'
    const object = await api.get<MapObject>(`${namespace}/${kind}/${name}`).catch((error: unknown) => {
      if (map.optional === true) return undefined
      throw error
    })
    const entries = object === undefined ? {} : contentsOf(object, kind === 'secrets')
    const items = map.items ?? Object.keys(entries).map((key) => ({ key, path: key, mode: undefined }))
    for (const { key, path, mode } of object === undefined ? [] : items) {
      const content = entries[key]
      if (content === undefined) throw new Error(`${kind} ${name} has no key \`${key}\``)
      files.set(path, { content, mode })
    }
  }
  for (const { path, fieldRef, mode } of source.downwardAPI?.items ?? []) {
    const value = fieldRef === undefined ? '1' : fieldOf(pod, address, nodeAddress, fieldRef.fieldPath)
    files.set(path, { content: value ?? '', mode })
  }
  if (source.serviceAccountToken !== undefined) {
    const { path, ...options } = source.serviceAccountToken
    files.set(path, { content: await requestToken(owner, options), mode: undefined })
  }
}

function contentsOf(object: MapObject, isSecret: boolean): Readonly<Record<string, string | Buffer>> {
  const decoded = Object.entries((isSecret ? object.data : object.binaryData) ?? {}).map(
    ([key, value]) => [key, Buffer.from(value, 'base64')] as const,
  )
  return { ...(isSecret ? {} : object.data), ...Object.fromEntries(decoded) }
}

async function requestToken(
  { api, pod }: VolumeOwner,
  { audience, expirationSeconds = 3600 }: { readonly audience?: string; readonly expirationSeconds?: number },
): Promise<string> {
  const { namespace, name, uid } = pod.metadata
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${accountOf(pod)}/token`
  const answer = await api.post<{ readonly status: { readonly token: string } }>(path, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      audiences: audience === undefined ? undefined : [audience],
      expirationSeconds,
      boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid },
    },
  })
  return answer.status.token
}

/** As the kubelet's AtomicWriter: a dated folder, `..data` that leads to it, a link for each name at the top. */
function writeAtomically(
  directory: string,
  files: ReadonlyMap<string, File>,
  defaultMode: number,
  group: number | undefined,
): void {
  const dated = `..${new Date().toISOString().replace(/[-:T.Z]/g, '_')}${process.hrtime.bigint()}`
  mkdirSync(join(directory, dated))
  for (const [path, { content, mode }] of files) {
    const file = join(directory, dated, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    chmodSync(file, mode ?? defaultMode)
    if (group !== undefined) chownSync(file, 0, group)
  }
  const data = join(directory, '..data')
  const before = existsSync(data) ? readlinkSync(data) : undefined
  symlinkSync(dated, `${data}_tmp`)
  renameSync(`${data}_tmp`, data)
  for (const top of new Set([...files.keys()].map((path) => path.split('/', 1)[0] ?? path))) {
    if (!existsSync(join(directory, top))) symlinkSync(`..data/${top}`, join(directory, top))
  }
  if (before !== undefined) rmSync(join(directory, before), { recursive: true, force: true })
}

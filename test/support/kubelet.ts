import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { find, findWorkload } from './mesh-findings.ts'
import { at, items, type Json, type KubeObject } from './rendered.ts'

/** A container as a kubelet would start it: what it mounts lies under `root`, at the paths of the pod. */
export type Mounted = {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly inPod: (path: string) => string
}

/** Mounts the volumes of our pods under `root`, as a kubelet does: every file a link through `..data`. */
export function mountPod(objects: readonly KubeObject[], root: string): Mounted {
  const pod = at(findWorkload(objects), 'spec', 'template', 'spec')
  const container = at(pod, 'containers', 0)
  const inPod = (path: string): string => join(root, path)
  for (const mount of items(at(container, 'volumeMounts'))) {
    const volume = items(at(pod, 'volumes')).find((item) => at(item, 'name') === at(mount, 'name'))
    mountVolume(objects, volume, inPod(String(at(mount, 'mountPath'))))
  }
  const settings = String(at(container, 'envFrom', 0, 'configMapRef', 'name'))
  return {
    args: items(at(container, 'args')).map((arg) =>
      String(arg).startsWith('/') ? inPod(String(arg)) : String(arg),
    ),
    env: toText(at(find(objects, 'ConfigMap', 'waywarden', settings), 'data')),
    inPod,
  }
}

/** Replaces the files of a mounted volume at once, as a kubelet does when the object has changed. */
export function writeVolume(directory: string, files: ReadonlyMap<string, string>): void {
  const version = '..2026_11_24_22_15_00.000000001'
  for (const [path, text] of files) {
    const file = join(directory, version, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  symlinkSync(version, join(directory, '..data'))
  const tops = new Set([...files.keys()].map((path) => path.split('/')[0] ?? path))
  for (const top of tops) symlinkSync(join('..data', top), join(directory, top))
}

function mountVolume(objects: readonly KubeObject[], volume: Json, directory: string): void {
  mkdirSync(directory, { recursive: true })
  const configMap = at(volume, 'configMap')
  const secret = at(volume, 'secret')
  if (configMap !== undefined) {
    const data = toText(at(find(objects, 'ConfigMap', 'waywarden', String(at(configMap, 'name'))), 'data'))
    writeVolume(directory, toFiles(data, at(configMap, 'items')))
  } else if (secret !== undefined) {
    const data = toText(at(find(objects, 'Secret', 'waywarden', String(at(secret, 'secretName'))), 'data'))
    const decoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()])
    writeVolume(directory, toFiles(Object.fromEntries(decoded), at(secret, 'items')))
  }
}

/** Without `items` every key is a file; with them only those, where they say. A key that is not there fails the pod. */
function toFiles(data: Readonly<Record<string, string>>, listed: Json): ReadonlyMap<string, string> {
  if (listed === undefined) return new Map(Object.entries(data))
  return new Map(
    items(listed).map((item) => {
      const text = data[String(at(item, 'key'))]
      if (text === undefined)
        throw new RangeError(`no key \`${String(at(item, 'key'))}\` in the volume's object`)
      return [String(at(item, 'path')), text]
    }),
  )
}

function toText(data: Json): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, String(value)]))
}

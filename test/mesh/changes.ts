import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { ClusterMesh } from '../../scripts/mesh/mesh.ts'

/** One thing of the cluster that is made wrong. */
export type Change =
  /** A JSON merge patch of an object. */
  | { readonly kind: 'patch'; readonly object: ObjectPath; readonly patch: object }
  | { readonly kind: 'create'; readonly object: object }
  | { readonly kind: 'delete'; readonly object: ObjectPath }
  /** Another text of the mesh configuration. */
  | { readonly kind: 'mesh'; readonly edit: (text: string) => string }

/** `kind/name`, with the namespace before it where the kind has one. */
export type ObjectPath = readonly [namespace: string, kindAndName: string]

type Stored = {
  readonly metadata: Readonly<Record<string, unknown>>
  readonly data?: Readonly<Record<string, string>>
}

const meshConfig: ObjectPath = ['istio-system', 'configmap/istio']

/** Makes a change, runs `look`, and puts back what was there. */
export async function whileChanged<T>(mesh: ClusterMesh, change: Change, look: () => Promise<T>): Promise<T> {
  const restore = await make(mesh, change)
  try {
    return await look()
  } finally {
    await restore()
  }
}

async function make(mesh: ClusterMesh, change: Change): Promise<() => Promise<unknown>> {
  switch (change.kind) {
    case 'create': {
      await send(mesh, 'create', change.object)
      return () => send(mesh, 'delete', change.object)
    }
    case 'delete': {
      const before = await read(mesh, change.object)
      await mesh.kubectl('-n', change.object[0], 'delete', change.object[1])
      return () => send(mesh, 'create', before)
    }
    case 'patch': {
      const before = await read(mesh, change.object)
      await patch(mesh, change.object, change.patch)
      return () => send(mesh, 'replace', before)
    }
    case 'mesh': {
      const before = await read(mesh, meshConfig)
      const text = before.data?.['mesh'] ?? ''
      const edited = change.edit(text)
      if (edited === text) throw new Error(`the edit changes nothing in:\n${text}`)
      await patch(mesh, meshConfig, { data: { mesh: edited } })
      return () => send(mesh, 'replace', before)
    }
  }
}

async function read(mesh: ClusterMesh, [namespace, name]: ObjectPath): Promise<Stored> {
  const found = JSON.parse(await mesh.kubectl('-n', namespace, 'get', name, '-o', 'json')) as Stored
  // Without a version it replaces whatever is there by then, and without an identity it can be created again.
  const { resourceVersion: _, uid: __, ...metadata } = found.metadata
  return { ...found, metadata }
}

function patch(mesh: ClusterMesh, [namespace, name]: ObjectPath, body: object): Promise<string> {
  return mesh.kubectl('-n', namespace, 'patch', name, '--type=merge', '--patch', JSON.stringify(body))
}

function send(mesh: ClusterMesh, verb: string, object: object): Promise<string> {
  const file = join(mesh.options.directory, 'change.yaml')
  writeFileSync(file, stringify(object))
  return mesh.kubectl(verb, '-f', file)
}

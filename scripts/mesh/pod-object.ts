import type { KubeObject } from './kubernetes.ts'

/** A pod, as far as the node reads it. */
export type PodObject = KubeObject & {
  readonly spec: {
    readonly nodeName?: string
    readonly serviceAccountName?: string
    readonly securityContext?: SecurityContext
    readonly terminationGracePeriodSeconds?: number
    readonly volumes?: readonly VolumeObject[]
    readonly containers: readonly ContainerObject[]
    readonly initContainers?: readonly ContainerObject[]
  }
  readonly status?: { readonly podIP?: string; readonly phase?: string }
}

export type ContainerObject = {
  readonly name: string
  readonly image: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: readonly EnvObject[]
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name: string } }[]
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[]
  readonly readinessProbe?: ProbeObject
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } }
  readonly securityContext?: SecurityContext
  readonly volumeMounts?: readonly {
    readonly name: string
    readonly mountPath: string
    readonly readOnly?: boolean
  }[]
}

export type SecurityContext = {
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly fsGroup?: number
  readonly readOnlyRootFilesystem?: boolean
  readonly capabilities?: { readonly add?: readonly string[] }
}

export type ProbeObject = {
  readonly httpGet?: { readonly path?: string; readonly port: number | string }
  readonly periodSeconds?: number
  readonly timeoutSeconds?: number
  readonly failureThreshold?: number
}

type EnvObject = {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string }
    readonly resourceFieldRef?: { readonly resource: string }
    readonly configMapKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean }
  }
}

type Items = readonly { readonly key: string; readonly path: string; readonly mode?: number }[]

type DownwardItems = readonly {
  readonly path: string
  readonly mode?: number
  readonly fieldRef?: { readonly fieldPath: string }
  readonly resourceFieldRef?: { readonly resource: string }
}[]

type MapSource = { readonly items?: Items; readonly optional?: boolean }

/** One source of files; a projected volume has several. */
export type VolumeSource = {
  readonly configMap?: MapSource & { readonly name: string }
  readonly secret?: MapSource & { readonly name?: string; readonly secretName?: string }
  readonly downwardAPI?: { readonly items?: DownwardItems }
  readonly serviceAccountToken?: {
    readonly path: string
    readonly audience?: string
    readonly expirationSeconds?: number
  }
}

export type VolumeObject = VolumeSource & {
  readonly name: string
  readonly configMap?: MapSource & { readonly name: string; readonly defaultMode?: number }
  readonly secret?: MapSource & { readonly secretName?: string; readonly defaultMode?: number }
  readonly emptyDir?: object
  readonly hostPath?: { readonly path: string }
  readonly projected?: { readonly sources: readonly VolumeSource[]; readonly defaultMode?: number }
  readonly persistentVolumeClaim?: { readonly claimName: string }
}

/** A field of the pod, as `fieldRef` names it; `undefined` when this node does not know it. */
export function fieldOf(pod: PodObject, address: string, node: string, path: string): string | undefined {
  const { metadata } = pod
  const key = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path)
  if (key?.[1] === 'labels') return metadata.labels?.[key[2] ?? '']
  if (key?.[1] === 'annotations') return metadata.annotations?.[key[2] ?? '']
  const fields: Readonly<Record<string, string | undefined>> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'metadata.labels': toLines(metadata.labels),
    'metadata.annotations': toLines(metadata.annotations),
    'spec.nodeName': 'node-1',
    'spec.serviceAccountName': accountOf(pod),
    'status.podIP': address,
    'status.hostIP': node,
  }
  return fields[path]
}

export function accountOf({ spec }: PodObject): string {
  return spec.serviceAccountName ?? 'default'
}

/** `namespace/name`, as people write it. */
export function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`
}

function toLines(values: Readonly<Record<string, string>> = {}): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n')
}

import * as v from 'valibot'
import type { KubeObject } from '../base/document/kube-object.ts'
import { type Invalid, invalid } from '../base/model/invalid.ts'
import { show } from '../base/text/show.ts'

/** The parts of a Kubernetes Service that a catalog needs. */
export type KubernetesService = {
  readonly metadata: Metadata
  readonly spec: {
    readonly type?: string | undefined
    readonly clusterIP?: string | undefined
    readonly clusterIPs?: readonly string[] | undefined
    readonly selector?: Labels | undefined
    readonly ports?: readonly ServicePort[] | undefined
  }
}

/** One port of a Service. */
export type ServicePort = {
  readonly port: number
  readonly name?: string | undefined
  readonly protocol?: string | undefined
  readonly appProtocol?: string | undefined
}

/** The parts of a Pod that a catalog needs. */
export type KubernetesPod = {
  readonly metadata: Metadata
  readonly spec: { readonly serviceAccountName?: string | undefined }
  readonly status?: { readonly phase?: string | undefined } | undefined
}

/** A Namespace, whose labels name the waypoint of its services. */
export type KubernetesNamespace = { readonly metadata: Metadata }

/** The output of `kubectl get services,pods -A -o json`, with namespaces if they were requested. */
export type KubernetesList = {
  readonly services: readonly KubernetesService[]
  readonly pods: readonly KubernetesPod[]
  readonly namespaces: readonly KubernetesNamespace[]
}

type Labels = Readonly<Record<string, string>>
type Metadata = {
  readonly name: string
  readonly namespace?: string | undefined
  readonly labels?: Labels | undefined
}

const labels = v.optional(v.record(v.string(), v.string()))
const metadata = v.object({ name: v.string(), namespace: v.optional(v.string()), labels })
const port = v.object({
  port: v.number(),
  name: v.optional(v.string()),
  protocol: v.optional(v.string()),
  appProtocol: v.optional(v.string()),
})
const service: v.GenericSchema<unknown, KubernetesService> = v.object({
  metadata,
  spec: v.object({
    type: v.optional(v.string()),
    clusterIP: v.optional(v.string()),
    clusterIPs: v.optional(v.array(v.string())),
    selector: labels,
    ports: v.optional(v.array(port)),
  }),
})
const pod: v.GenericSchema<unknown, KubernetesPod> = v.object({
  metadata,
  spec: v.object({ serviceAccountName: v.optional(v.string()) }),
  status: v.optional(v.object({ phase: v.optional(v.string()) })),
})
const namespace: v.GenericSchema<unknown, KubernetesNamespace> = v.object({ metadata })

/** Extracts services, pods and namespaces from cluster objects, or names the object that is invalid. */
export function toKubernetesList(objects: readonly KubeObject[]): KubernetesList | Invalid {
  const found: {
    services: KubernetesService[]
    pods: KubernetesPod[]
    namespaces: KubernetesNamespace[]
  } = { services: [], pods: [], namespaces: [] }
  for (const [index, object] of objects.entries()) {
    const issue = sort(object, found)
    if (issue === undefined) continue
    const name =
      object.name === ''
        ? `object ${index + 1}, a ${object.kind}`
        : `${object.kind} ${object.namespace}/${object.name}`
    return invalid(
      `${name}: \`${v.getDotPath(issue) ?? ''}\`: expected ${issue.expected ?? 'another value'}, found ${show(issue.input)}`,
    )
  }
  return found
}

function sort(
  { kind, body }: KubeObject,
  found: { services: KubernetesService[]; pods: KubernetesPod[]; namespaces: KubernetesNamespace[] },
): v.BaseIssue<unknown> | undefined {
  switch (kind) {
    case 'Service':
      return keep(service, body, found.services)
    case 'Pod':
      return keep(pod, body, found.pods)
    case 'Namespace':
      return keep(namespace, body, found.namespaces)
    default:
      return undefined
  }
}

function keep<T>(
  schema: v.GenericSchema<unknown, T>,
  item: unknown,
  into: T[],
): v.BaseIssue<unknown> | undefined {
  const parsed = v.safeParse(schema, item)
  if (!parsed.success) return parsed.issues[0]
  into.push(parsed.output)
  return undefined
}

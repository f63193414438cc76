import * as v from 'valibot'
import { type Invalid, invalid } from '../model/invalid.ts'

/** A Kubernetes Service as far as a catalog needs it. */
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

/** A Pod as far as a catalog needs it. */
export type KubernetesPod = {
  readonly metadata: Metadata
  readonly spec: { readonly serviceAccountName?: string | undefined }
  readonly status?: { readonly phase?: string | undefined } | undefined
}

/** A Namespace: its labels say which waypoint its services stand behind. */
export type KubernetesNamespace = { readonly metadata: Metadata }

/** What `kubectl get services,pods -A -o json` prints; namespaces where they were asked for, too. */
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
const list = v.object({
  kind: v.string(),
  items: v.array(v.looseObject({ kind: v.string() })),
})

/** Parses kubectl's JSON; kinds that a catalog does not need are passed over. */
export function parseKubernetesList(text: string): KubernetesList | Invalid {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refusal('no JSON')
  }
  const parsed = v.safeParse(list, value)
  if (!parsed.success) return refusal(describe(parsed.issues[0]))
  const found: {
    services: KubernetesService[]
    pods: KubernetesPod[]
    namespaces: KubernetesNamespace[]
  } = { services: [], pods: [], namespaces: [] }
  for (const [index, item] of parsed.output.items.entries()) {
    const issue = sort(item, found)
    if (issue !== undefined) return refusal(`item ${index + 1}: ${describe(issue)}`)
  }
  return found
}

function sort(
  item: { readonly kind: string },
  found: { services: KubernetesService[]; pods: KubernetesPod[]; namespaces: KubernetesNamespace[] },
): v.BaseIssue<unknown> | undefined {
  switch (item.kind) {
    case 'Service':
      return keep(service, item, found.services)
    case 'Pod':
      return keep(pod, item, found.pods)
    case 'Namespace':
      return keep(namespace, item, found.namespaces)
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

function describe(issue: v.BaseIssue<unknown>): string {
  return `\`${v.getDotPath(issue) ?? ''}\`: expected ${issue.expected ?? 'another value'}`
}

function refusal(found: string): Invalid {
  return invalid(`expected what \`kubectl get services,pods -A -o json\` prints, found ${found}`)
}

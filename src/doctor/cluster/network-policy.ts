import {
  type KubeObject,
  type Labels,
  labelsAt,
  listAt,
  textAt,
  textsAt,
} from '../../base/document/kube-object.ts'

/** A NetworkPolicy: the connections that the CNI admits. */
export type NetworkPolicy = Pick<KubeObject, 'namespace' | 'name' | 'labels' | 'annotations'> & {
  /** `undefined` for a selector with expressions, which are not evaluated. */
  readonly selector: Labels | undefined
  readonly isIngress: boolean
  readonly ingress: readonly {
    readonly ports: readonly string[]
    readonly peers: readonly { readonly pods: Labels; readonly namespaces: Labels }[]
  }[]
}

/** Reads a NetworkPolicy from its object. */
export function toNetworkPolicy(object: KubeObject): NetworkPolicy {
  const { body } = object
  const types = textsAt(body, 'spec', 'policyTypes')
  const hasExpressions = listAt(body, 'spec', 'podSelector', 'matchExpressions').length > 0
  return {
    ...object,
    selector: hasExpressions
      ? undefined
      : (labelsAt(body, 'spec', 'podSelector', 'matchLabels') ?? new Map()),
    isIngress: types.length === 0 || types.includes('Ingress'),
    ingress: listAt(body, 'spec', 'ingress').map((rule) => ({
      ports: listAt(rule, 'ports').map((port) => textAt(port, 'port') ?? ''),
      peers: listAt(rule, 'from').map((peer) => ({
        pods: labelsAt(peer, 'podSelector', 'matchLabels') ?? new Map(),
        namespaces: labelsAt(peer, 'namespaceSelector', 'matchLabels') ?? new Map(),
      })),
    })),
  }
}

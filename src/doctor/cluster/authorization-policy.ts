import {
  at,
  type KubeObject,
  type Labels,
  labelsAt,
  listAt,
  textAt,
  textsAt,
} from '../../base/document/kube-object.ts'
import { type Condition, conditionsOf } from './status.ts'

/** An Istio AuthorizationPolicy. */
export type AuthorizationPolicy = Pick<KubeObject, 'namespace' | 'name' | 'labels' | 'annotations'> & {
  readonly conditions: readonly Condition[]
  readonly action: string
  readonly provider: string | undefined
  readonly selector: Labels | undefined
  readonly targets: readonly { readonly kind: string; readonly name: string }[]
  /** `undefined` if the policy never applies. */
  readonly rules: readonly AccessRule[] | undefined
}

/** One rule: sources (none: every source), operations and conditions. */
export type AccessRule = {
  readonly sources: readonly Source[]
  readonly operations: readonly { readonly ports: readonly string[] }[]
  readonly hasConditions: boolean
}

export type Source = {
  readonly principals: readonly string[]
  readonly notPrincipals: readonly string[]
  readonly namespaces: readonly string[]
  /** `namespace/name`, or a name in the policy's own namespace. */
  readonly serviceAccounts: readonly string[]
  readonly keys: readonly string[]
}

/** Reads an AuthorizationPolicy from its object. */
export function toAuthorizationPolicy(object: KubeObject): AuthorizationPolicy {
  const { body } = object
  const single = at(body, 'spec', 'targetRef')
  const targets = [...listAt(body, 'spec', 'targetRefs'), ...(single === undefined ? [] : [single])]
  return {
    ...object,
    conditions: conditionsOf(body),
    action: textAt(body, 'spec', 'action') ?? 'ALLOW',
    provider: textAt(body, 'spec', 'provider', 'name'),
    selector: labelsAt(body, 'spec', 'selector', 'matchLabels'),
    targets: targets.map((target) => ({
      kind: textAt(target, 'kind') ?? '',
      name: textAt(target, 'name') ?? '',
    })),
    rules: Array.isArray(at(body, 'spec', 'rules')) ? listAt(body, 'spec', 'rules').map(toRule) : undefined,
  }
}

function toRule(rule: unknown): AccessRule {
  return {
    sources: listAt(rule, 'from').map((from) => ({
      principals: textsAt(from, 'source', 'principals'),
      notPrincipals: textsAt(from, 'source', 'notPrincipals'),
      namespaces: textsAt(from, 'source', 'namespaces'),
      serviceAccounts: textsAt(from, 'source', 'serviceAccounts'),
      keys: [...(labelsAt(from, 'source')?.keys() ?? [])],
    })),
    operations: listAt(rule, 'to').map((to) => ({ ports: textsAt(to, 'operation', 'ports') })),
    hasConditions: listAt(rule, 'when').length > 0,
  }
}

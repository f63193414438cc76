import { toKubernetesList } from '../../src/authoring/kubernetes-list.ts'
import { draftCatalog } from '../../src/authoring/scaffold.ts'
import { toKubeObject } from '../../src/base/document/kube-object.ts'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { parseTrustDomain } from '../../src/base/model/spiffe-id.ts'
import { type Catalog, parseCatalog } from '../../src/policy/catalog/catalog.ts'
import { type ClusterPod, type ClusterService, kubectlJson } from './cluster.ts'

/** The draft of `catalog scaffold` for a cluster. */
export function scaffold(
  services: readonly ClusterService[],
  pods: readonly ClusterPod[] = [],
  namespaces: Parameters<typeof kubectlJson>[2] = [],
  namespace?: string,
): string {
  const list = toKubernetesList(JSON.parse(kubectlJson(services, pods, namespaces)).items.map(toKubeObject))
  const trustDomain = parseTrustDomain('hospital.example')
  if (isInvalid(list)) throw new TypeError(list.reason)
  if (typeof trustDomain !== 'string') throw new TypeError(trustDomain.reason)
  return draftCatalog(list, { trustDomain, namespace }).lines.join('\n')
}

/** A draft as a catalog; it must load. */
export function mustParse(yaml: string): Catalog {
  const catalog = parseCatalog(yaml)
  if ('services' in catalog) return catalog
  throw new TypeError(`${JSON.stringify(catalog)}\n${yaml}`)
}

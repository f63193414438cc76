import { parse } from 'yaml'
import { at, type KubeObject, listAt, textAt } from '../../base/document/kube-object.ts'

/** An external authorization provider, as written in the mesh configuration. */
export type Provider = {
  readonly name: string
  /** `[namespace/]name.namespace.svc.domain`. */
  readonly service: string
  readonly port: string | undefined
  readonly timeout: string | undefined
  readonly isFailOpen: boolean
  readonly statusOnError: string | undefined
  /** The ConfigMap that has it. */
  readonly where: string
}

/** The mesh configuration of all revisions of istiod. */
export type Mesh = {
  readonly rootNamespace: string
  readonly providers: readonly Provider[]
  /** Names of all providers, including those that are no gRPC authorizers. */
  readonly providerNames: ReadonlySet<string>
}

const istioNamespace = 'istio-system'

/** Reads the mesh configuration from istiod's ConfigMaps (`istio`, `istio-<revision>`, key `mesh`). */
export function toMesh(objects: readonly KubeObject[]): Mesh {
  const configs = objects
    .filter(({ kind, name }) => kind === 'ConfigMap' && /^istio(-|$)/.test(name))
    .flatMap(({ body, namespace, name }) => {
      const text = textAt(body, 'data', 'mesh')
      return text === undefined
        ? []
        : [{ where: `ConfigMap ${namespace}/${name}`, config: parseQuietly(text) }]
    })
  const extensions = configs.flatMap(({ where, config }) =>
    listAt(config, 'extensionProviders').map((provider) => ({ where, provider })),
  )
  return {
    rootNamespace:
      configs.map(({ config }) => textAt(config, 'rootNamespace')).find((name) => name !== undefined) ??
      istioNamespace,
    providers: extensions.flatMap(toProvider),
    providerNames: new Set(extensions.flatMap(({ provider }) => textAt(provider, 'name') ?? [])),
  }
}

/** Returns name and namespace of a provider's Service. */
export function serviceOfProvider({ service }: Provider): {
  readonly namespace: string
  readonly name: string
} {
  const host = service.slice(service.indexOf('/') + 1)
  const [name = '', namespace = ''] = host.split('.')
  return { namespace, name }
}

/** Parses a duration as Go writes it (`250ms`, `0.5s`, `1m30s`) in milliseconds. */
export function toMs(duration: string): number | undefined {
  const scales: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== duration) return undefined
  return parts.reduce((sum, [, value, unit]) => sum + Number(value) * (scales[unit ?? ''] ?? 0), 0)
}

/** Returns no provider for a mesh configuration that istiod cannot read either. */
function parseQuietly(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}

function toProvider({
  where,
  provider,
}: {
  readonly where: string
  readonly provider: unknown
}): readonly Provider[] {
  const grpc = at(provider, 'envoyExtAuthzGrpc')
  if (grpc === undefined) return []
  return [
    {
      name: textAt(provider, 'name') ?? '',
      service: textAt(grpc, 'service') ?? '',
      port: textAt(grpc, 'port'),
      timeout: textAt(grpc, 'timeout'),
      isFailOpen: at(grpc, 'failOpen') === true,
      statusOnError: textAt(grpc, 'statusOnError'),
      where,
    },
  ]
}

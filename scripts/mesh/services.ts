import { connect, createServer, type Server } from 'node:net'
import { serveDns } from './dns.ts'
import type { Api, KubeObject, WatchEvent } from './kubernetes.ts'
import { proxyAddress } from './network.ts'

type Service = KubeObject & {
  readonly spec: {
    readonly clusterIP?: string
    readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[]
  }
}

type EndpointSlice = KubeObject & {
  readonly endpoints?: readonly {
    readonly addresses: readonly string[]
    readonly conditions?: { readonly ready?: boolean }
  }[]
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[]
}

/** Does the work of kube-proxy and the cluster's DNS for pods without ztunnel. */
export class Services implements AsyncDisposable {
  readonly #services = new Map<string, Service>()
  readonly #slices = new Map<string, EndpointSlice>()
  readonly #servers = new Map<string, Server>()
  readonly #ended = new AbortController()
  readonly #work: Promise<unknown>[] = []
  #closeDns: () => void = () => {}

  async start(api: Api): Promise<void> {
    const dns = await serveDns((name) => this.#resolve(name))
    this.#closeDns = () => dns.close()
    const { signal } = this.#ended
    const update = (): void => this.#listen()
    this.#work.push(
      api.follow<Service>('/api/v1/services', ...followInto(this.#services, update), signal),
      api.follow<EndpointSlice>(
        '/apis/discovery.k8s.io/v1/endpointslices',
        ...followInto(this.#slices, () => {}),
        signal,
      ),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort()
    this.#closeDns()
    for (const server of this.#servers.values()) server.close()
    await Promise.allSettled(this.#work)
  }

  #resolve(name: string): string | undefined {
    const [, service, namespace] = /^([\w-]+)\.([\w-]+)\.svc\.cluster\.local$/.exec(name) ?? []
    const found = this.#services.get(`${namespace}/${service}`)?.spec.clusterIP
    return found === 'None' || found === '' ? undefined : found
  }

  /** A listener for each port of each cluster IP. */
  #listen(): void {
    const wanted = new Map<string, () => void>()
    for (const service of this.#services.values()) {
      const { clusterIP = 'None', ports = [] } = service.spec
      for (const { port, name, protocol } of ports) {
        if (clusterIP === 'None' || clusterIP === '' || protocol === 'UDP') continue
        const address = `${clusterIP}:${port}`
        wanted.set(address, () => this.#servers.set(address, this.#serve(service, clusterIP, port, name)))
      }
    }
    for (const [address, server] of this.#servers) {
      if (wanted.has(address)) continue
      server.close()
      this.#servers.delete(address)
    }
    for (const [address, open] of wanted) if (!this.#servers.has(address)) open()
  }

  #serve(service: Service, host: string, port: number, portName = ''): Server {
    const server = createServer({ allowHalfOpen: true }, (client) => {
      const endpoint = this.#choose(service, portName)
      if (endpoint === undefined) return void client.resetAndDestroy()
      const upstream = connect({ ...endpoint, localAddress: proxyAddress, allowHalfOpen: true })
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        one.pipe(other)
        one.on('error', () => other.destroy())
      }
    })
    server.on('error', (error) => console.error(`service ${host}:${port}: ${error.message}`))
    return server.listen(port, host)
  }

  #choose({ metadata }: Service, portName: string): { host: string; port: number } | undefined {
    const ready = [...this.#slices.values()]
      .filter((slice) => slice.metadata.namespace === metadata.namespace)
      .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === metadata.name)
      .flatMap(({ endpoints, ports }) => {
        const port = ports?.find(({ name = '' }) => name === portName)?.port
        if (port === undefined) return []
        return (endpoints ?? [])
          .filter(({ conditions }) => conditions?.ready !== false)
          .flatMap(({ addresses }) => addresses.map((host) => ({ host, port })))
      })
    return ready[Math.floor(Math.random() * ready.length)]
  }
}

function followInto<T extends KubeObject>(
  known: Map<string, T>,
  then: () => void,
): [(items: readonly T[]) => void, (event: WatchEvent<T>) => void] {
  const keyOf = ({ metadata }: T): string => `${metadata.namespace}/${metadata.name}`
  return [
    (items) => {
      known.clear()
      for (const item of items) known.set(keyOf(item), item)
      then()
    },
    ({ type, object }) => {
      if (type === 'DELETED') known.delete(keyOf(object))
      else known.set(keyOf(object), object)
      then()
    },
  ]
}

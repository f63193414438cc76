import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ImageSources } from './images.ts'
import type { Api, KubeObject, WatchEvent } from './kubernetes.ts'
import { nodeAddress } from './network.ts'
import { Pod } from './pod.ts'
import { keyOf, type PodObject } from './pod-object.ts'
import { until } from './shell.ts'

export type NodeOptions = {
  readonly api: Api
  /** Its folder: pods, logs, and what it tells to ztunnel and to kubelet-api. */
  readonly directory: string
  readonly logs: string
  readonly sources: ImageSources
  readonly isRoot: boolean
}

/** Where ztunnel's chart expects the node's agent. */
const ztunnelFolder = '/var/run/ztunnel'
const nodeName = 'node-1'

/**
 * A kubelet without containers that also does the work of Istio's CNI agent. It runs pods as processes, each with its
 * own network and root, and hands the pods of ambient namespaces to ztunnel.
 */
export class Node implements AsyncDisposable {
  readonly #options: NodeOptions
  readonly #pods = new Map<string, Pod>()
  readonly #objects = new Map<string, PodObject>()
  readonly #namespaces = new Map<string, KubeObject>()
  readonly #inNetwork = new Set<string>()
  readonly #stopping = new Set<string>()
  /** Pods that could not be started at once, and are tried again. */
  readonly #waiting = new Set<string>()
  readonly #ended = new AbortController()
  readonly #work: Promise<unknown>[] = []
  #nextAddress = 10

  constructor(options: NodeOptions) {
    this.#options = options
  }

  /** Registers the node and runs pods from here on. */
  async start(): Promise<void> {
    const { api, directory } = this.#options
    mkdirSync(directory, { recursive: true })
    mkdirSync(ztunnelFolder, { recursive: true })
    await this.#register()
    const { signal } = this.#ended
    const objects = this.#follow(this.#objects, () => this.#reconcile())
    const namespaces = this.#follow(this.#namespaces, () => this.#capture())
    this.#work.push(
      api.follow<KubeObject>('/api/v1/namespaces', namespaces.onList, namespaces.onEvent, signal),
      api.follow<PodObject>('/api/v1/pods', objects.onList, objects.onEvent, signal),
      this.#repeat(100, () => Promise.all([...this.#pods.values()].map((pod) => pod.probe()))),
      this.#repeat(1000, () => {
        this.#writeEntries()
        return Promise.all([...this.#pods.values()].map((pod) => pod.refresh()))
      }),
    )
  }

  /** The pods of a namespace whose names begin with `prefix` and that are not being deleted. */
  find(namespace: string, prefix: string): readonly { readonly name: string; readonly pod: Pod }[] {
    return [...this.#objects.values()].flatMap(({ metadata }) => {
      const { uid = '', name, namespace: own, deletionTimestamp } = metadata
      const pod = this.#pods.get(uid)
      const isMeant = own === namespace && name.startsWith(prefix) && deletionTimestamp === undefined
      return isMeant && pod !== undefined ? [{ name, pod }] : []
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort()
    await Promise.all([...this.#pods.values()].map((pod) => pod.kill()))
    await Promise.allSettled(this.#work)
  }

  async #register(): Promise<void> {
    const { api } = this.#options
    const labels = {
      'kubernetes.io/os': 'linux',
      'kubernetes.io/hostname': nodeName,
      'topology.kubernetes.io/zone': 'zone-1',
    }
    await api.post('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName, labels } })
    const time = `${new Date().toISOString().slice(0, 19)}Z`
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      lastHeartbeatTime: time,
      lastTransitionTime: time,
    }
    const amounts = { cpu: '64', memory: '256Gi', pods: '250' }
    await api.patch(`/api/v1/nodes/${nodeName}/status`, {
      status: {
        addresses: [{ type: 'InternalIP', address: nodeAddress }],
        conditions: [ready],
        capacity: amounts,
        allocatable: amounts,
        daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      },
    })
  }

  #follow<T extends KubeObject>(
    known: Map<string, T>,
    then: () => void,
  ): { onList: (items: readonly T[]) => void; onEvent: (event: WatchEvent<T>) => void } {
    return {
      onList: (items) => {
        known.clear()
        for (const item of items) known.set(item.metadata.uid ?? '', item)
        then()
      },
      onEvent: ({ type, object }) => {
        if (type === 'DELETED') known.delete(object.metadata.uid ?? '')
        else known.set(object.metadata.uid ?? '', object)
        then()
      },
    }
  }

  /** Starts what has no pod yet and stops what is deleted. */
  #reconcile(): void {
    for (const [uid, object] of this.#objects) {
      const isDeleted = object.metadata.deletionTimestamp !== undefined
      const pod = this.#pods.get(uid)
      if (pod === undefined && !isDeleted) this.#track(this.#startOrRetry(uid, object))
      else if (isDeleted) this.#track(this.#stop(uid, object, pod))
    }
    for (const [uid, pod] of this.#pods) {
      if (!this.#objects.has(uid)) {
        this.#pods.delete(uid)
        this.#track(pod.stop())
      }
    }
    this.#capture()
  }

  async #stop(uid: string, object: PodObject, pod: Pod | undefined): Promise<void> {
    if (this.#stopping.has(uid)) return
    this.#stopping.add(uid)
    await pod?.stop()
    this.#pods.delete(uid)
    this.#inNetwork.delete(uid)
    this.#capture()
    const { namespace, name } = object.metadata
    await this.#options.api
      .delete(`/api/v1/namespaces/${namespace}/pods/${name}?gracePeriodSeconds=0`)
      .catch(() => undefined)
  }

  /** A pod whose ConfigMap, Secret or account is missing starts when it is there. */
  async #startOrRetry(uid: string, object: PodObject): Promise<void> {
    try {
      await this.#start(uid, object)
    } catch (error) {
      if (!this.#waiting.has(uid)) console.error(`node: cannot start ${keyOf(object)} yet: ${String(error)}`)
      this.#waiting.add(uid)
      await this.#pods.get(uid)?.stop()
      this.#inNetwork.delete(uid)
      await new Promise((resolve) => setTimeout(resolve, 1000))
      this.#pods.delete(uid)
      if (!this.#ended.signal.aborted) this.#reconcile()
    }
  }

  async #start(uid: string, object: PodObject): Promise<void> {
    const { api, directory, logs, sources, isRoot } = this.#options
    const { namespace, name } = object.metadata
    const number = this.#nextAddress++
    const address = `10.244.${1 + Math.floor(number / 250)}.${1 + (number % 250)}`
    const pod = new Pod({
      ...{ api, pod: object, address, logs, sources, isRoot },
      network: `pod${number}`,
      directory: join(directory, 'pods', uid),
      captured: async () => {
        this.#inNetwork.add(uid)
        this.#capture()
        if (this.#isAmbient(object))
          await until(`ztunnel to capture ${keyOf(object)}`, () => this.#isCaptured(uid))
      },
    })
    this.#pods.set(uid, pod)
    if (object.spec.nodeName === undefined) {
      const target = { apiVersion: 'v1', kind: 'Node', name: nodeName }
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target }
      await api.post(`/api/v1/namespaces/${namespace}/pods/${name}/binding`, binding)
    }
    await pod.start()
    this.#writeEntries()
  }

  /** Tells ztunnel which pods are its own, and istiod that they are captured, as Istio's CNI agent does. */
  #capture(): void {
    const entries = [...this.#objects].flatMap(([uid, object]) => {
      const pod = this.#pods.get(uid)
      if (pod === undefined || !this.#inNetwork.has(uid) || !this.#isAmbient(object)) return []
      return [{ uid, address: pod.address, node: nodeAddress, network: pod.networkFile }]
    })
    replaceFile(join(ztunnelFolder, 'pods.json'), JSON.stringify(entries))
    for (const [uid, object] of this.#objects) {
      const annotation = 'ambient.istio.io/redirection'
      const isMarked = object.metadata.annotations?.[annotation] === 'enabled'
      const isMeant = entries.some((entry) => entry.uid === uid)
      if (
        isMarked === isMeant ||
        object.metadata.deletionTimestamp !== undefined ||
        !this.#inNetwork.has(uid)
      )
        continue
      const { namespace, name } = object.metadata
      const change = { metadata: { annotations: { [annotation]: isMeant ? 'enabled' : null } } }
      this.#track(this.#options.api.patch(`/api/v1/namespaces/${namespace}/pods/${name}`, change))
    }
  }

  #isAmbient({ metadata }: PodObject): boolean {
    const label = 'istio.io/dataplane-mode'
    const namespace = [...this.#namespaces.values()].find(
      ({ metadata: { name } }) => name === metadata.namespace,
    )
    return (metadata.labels?.[label] ?? namespace?.metadata.labels?.[label]) === 'ambient'
  }

  #isCaptured(uid: string): true | undefined {
    const names = JSON.parse(readFileSync(join(ztunnelFolder, 'captured.json'), 'utf8')) as readonly string[]
    return names.includes(uid) ? true : undefined
  }

  /** For kubelet-api. */
  #writeEntries(): void {
    const entries = Object.assign({}, ...[...this.#pods.values()].map((pod) => pod.entries()))
    replaceFile(join(this.#options.directory, 'containers.json'), JSON.stringify(entries))
  }

  #track(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!this.#ended.signal.aborted) console.error(`node: ${String(error)}`)
    })
  }

  async #repeat(everyMs: number, act: () => Promise<unknown>): Promise<void> {
    while (!this.#ended.signal.aborted) {
      await act().catch((error: unknown) => {
        // A pod that is deleted while it is looked at.
        if (!this.#ended.signal.aborted && !String(error).includes(': 404'))
          console.error(`node: ${String(error)}`)
      })
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  }
}

function replaceFile(file: string, text: string): void {
  rmSync(`${file}.tmp`, { force: true })
  writeFileSync(`${file}.tmp`, text)
  renameSync(`${file}.tmp`, file)
}

import type { ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type ContainerOptions, enterContainer, startContainer } from './container.ts'
import { findImage, type Image, type ImageSources } from './images.ts'
import type { Api } from './kubernetes.ts'
import { createPodNetwork, nodeAddress, removePodNetwork } from './network.ts'
import { type ContainerObject, fieldOf, keyOf, type PodObject } from './pod-object.ts'
import { isAnswering } from './probe.ts'
import { fillVolume, followedBy } from './volumes.ts'

export type PodOptions = {
  readonly api: Api
  readonly pod: PodObject
  readonly address: string
  /** The name of its network namespace. */
  readonly network: string
  /** Its folder: volumes and roots. */
  readonly directory: string
  readonly logs: string
  readonly sources: ImageSources
  readonly isRoot: boolean
  /** Resolves when ztunnel has captured the pod, where it is to be captured. */
  readonly captured: (networkFile: string) => Promise<void>
}

type Running = { readonly options: ContainerOptions; child: ChildProcess; restarts: number; failures: number }

const restartAfterMs = 1000

/** A pod that runs: its network, its volumes and its containers. */
export class Pod {
  readonly #options: PodOptions
  readonly #containers: Running[] = []
  readonly #versions = new Map<string, string>()
  #networkDescriptor = -1
  #isStopping = false
  #isReady = false
  #nextProbeMs = 0

  constructor(options: PodOptions) {
    this.#options = options
  }

  get address(): string {
    return this.#options.address
  }

  get isReady(): boolean {
    return this.#isReady
  }

  /** A file that leads to the pod's network namespace for as long as this process lives. */
  get networkFile(): string {
    return `/proc/${process.pid}/fd/${this.#networkDescriptor}`
  }

  /** The folder of a volume. */
  volume(name: string): string {
    return join(this.#options.directory, 'volumes', name)
  }

  /** The process of a container; a restart changes it. */
  pidOf(container: string): number | undefined {
    return this.#containers.find(({ options }) => options.container.name === container)?.child.pid
  }

  /** How to enter each container, and where its log is, by its name. */
  entries(): Readonly<Record<string, object>> {
    const key = keyOf(this.#options.pod)
    return Object.fromEntries(
      this.#containers.map(({ options, child }) => [
        `${key}/${options.container.name}`,
        { enter: enterContainer(child.pid ?? 0, options), log: options.log, network: this.networkFile },
      ]),
    )
  }

  async start(): Promise<void> {
    const { api, pod, address, network, directory, isRoot, sources } = this.#options
    mkdirSync(directory, { recursive: true })
    createPodNetwork(network, address)
    this.#networkDescriptor = openSync(`/run/netns/${network}`, 'r')
    await api.patch(this.#statusPath, {
      status: { phase: 'Pending', podIP: address, podIPs: [{ ip: address }] },
    })
    const volumes = new Map<string, string>()
    for (const volume of pod.spec.volumes ?? []) {
      const folder = volume.hostPath?.path ?? this.volume(volume.name)
      volumes.set(volume.name, folder)
      if (volume.hostPath === undefined) await fillVolume({ api, pod, address, isRoot }, volume, folder)
    }
    await this.#options.captured(this.networkFile)
    for (const container of pod.spec.containers) {
      const image = findImage(container, sources)
      if (image === undefined) throw new Error(`nothing stands for the image \`${container.image}\``)
      this.#run(await this.#prepare(container, image, volumes))
    }
    await this.#report()
  }

  /** Takes up what changed in the ConfigMaps and Secrets that the pod mounts. */
  async refresh(): Promise<void> {
    const { api, pod, address, isRoot } = this.#options
    for (const volume of pod.spec.volumes ?? []) {
      const path = followedBy(pod, volume)
      if (path === undefined) continue
      const { metadata } = await api.get<PodObject>(path)
      const version = metadata.resourceVersion ?? ''
      const known = this.#versions.get(volume.name)
      this.#versions.set(volume.name, version)
      if (known !== undefined && known !== version) {
        await fillVolume({ api, pod, address, isRoot }, volume, this.volume(volume.name))
      }
    }
  }

  /** Asks the readiness probes when they are due, and reports a change. */
  async probe(): Promise<void> {
    if (performance.now() < this.#nextProbeMs || this.#isStopping) return
    const probes = this.#containers.flatMap(({ options: { container } }) =>
      container.readinessProbe === undefined ? [] : [{ container, probe: container.readinessProbe }],
    )
    const period = Math.min(...probes.map(({ probe }) => probe.periodSeconds ?? 10), 10)
    // Before a container is ready the kubelet asks more often than that, too.
    this.#nextProbeMs = performance.now() + (this.#isReady ? period * 1000 : 300)
    const answers = await Promise.all(this.#containers.map((running) => this.#isContainerReady(running)))
    const isReady = answers.length === this.#options.pod.spec.containers.length && answers.every(Boolean)
    if (isReady === this.#isReady || this.#isStopping) return
    this.#isReady = isReady
    await this.#report()
  }

  /** Ends the containers as a kubelet does: preStop, SIGTERM, the grace period, SIGKILL. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#isReady = false
    const { pod, network, directory } = this.#options
    const waits = pod.spec.containers.map(({ lifecycle }) => lifecycle?.preStop?.sleep?.seconds ?? 0)
    const grace = pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30
    const waited = Math.min(grace, Math.max(0, ...waits))
    // A pod that never ran has nothing to wait for.
    if (this.#containers.length > 0) await new Promise((resolve) => setTimeout(resolve, waited * 1000))
    await Promise.all(this.#containers.map(({ child }) => end(child, Math.max(1, grace - waited) * 1000)))
    if (this.#networkDescriptor >= 0) {
      closeSync(this.#networkDescriptor)
      removePodNetwork(network)
    }
    rmSync(directory, { recursive: true, force: true })
  }

  /** Ends everything at once. */
  async kill(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#containers.map(({ child }) => end(child, 2000)))
  }

  get #statusPath(): string {
    const { namespace, name } = this.#options.pod.metadata
    return `/api/v1/namespaces/${namespace}/pods/${name}/status`
  }

  async #prepare(
    container: ContainerObject,
    image: Image,
    volumes: ReadonlyMap<string, string>,
  ): Promise<ContainerOptions> {
    const { pod, network, directory, logs, isRoot } = this.#options
    return {
      ...{ pod, container, image, volumes, network, isRoot },
      env: await this.#environment(container, image),
      directory: join(directory, container.name),
      log: join(logs, `${keyOf(pod).replace('/', '.')}.${container.name}.log`),
    }
  }

  async #environment(container: ContainerObject, image: Image): Promise<Record<string, string>> {
    const { api, pod, address } = this.#options
    const namespace = `/api/v1/namespaces/${pod.metadata.namespace}`
    const env: Record<string, string> = {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: '/tmp',
      HOSTNAME: pod.metadata.name,
      KUBERNETES_SERVICE_HOST: nodeAddress,
      KUBERNETES_SERVICE_PORT: '6443',
      ...image.env,
    }
    for (const { configMapRef } of container.envFrom ?? []) {
      if (configMapRef === undefined) continue
      const map = await api.get<{ readonly data?: Readonly<Record<string, string>> }>(
        `${namespace}/configmaps/${configMapRef.name}`,
      )
      Object.assign(env, map.data)
    }
    for (const { name, value = '', valueFrom } of container.env ?? []) {
      const field = valueFrom?.fieldRef
      const text = field === undefined ? value : fieldOf(pod, address, nodeAddress, field.fieldPath)
      // No limits are set here; Istio takes them for the machine's own.
      const limit = valueFrom?.resourceFieldRef?.resource === 'limits.memory' ? String(2 ** 30) : '2'
      env[name] =
        valueFrom?.resourceFieldRef === undefined
          ? (text ?? '').replace(/\$\((\w+)\)/g, (whole, key: string) => env[key] ?? whole)
          : limit
    }
    return env
  }

  #run(options: ContainerOptions, restarts = 0): void {
    const child = startContainer(options)
    const running: Running = { options, child, restarts, failures: 0 }
    const known = this.#containers.findIndex(({ options: { container } }) => container === options.container)
    if (known < 0) this.#containers.push(running)
    else this.#containers[known] = running
    child.once('exit', () => {
      if (!this.#isStopping)
        setTimeout(() => this.#isStopping || this.#run(options, restarts + 1), restartAfterMs)
    })
  }

  async #isContainerReady(running: Running): Promise<boolean> {
    const { container } = running.options
    if (running.child.exitCode !== null || running.child.signalCode !== null) return false
    const probe = container.readinessProbe
    if (probe === undefined) return true
    const isAnswered = await isAnswering(this.address, container, probe)
    running.failures = isAnswered ? 0 : running.failures + 1
    // Ready stays ready until `failureThreshold` probes in a row have failed.
    return isAnswered || (this.#isReady && running.failures < (probe.failureThreshold ?? 3))
  }

  async #report(): Promise<void> {
    const time = `${new Date().toISOString().slice(0, 19)}Z`
    const status = this.#isReady ? 'True' : 'False'
    const condition = (type: string, value = 'True'): object => ({
      type,
      status: value,
      lastTransitionTime: time,
    })
    const { address, pod } = this.#options
    await this.#options.api.patch(this.#statusPath, {
      status: {
        phase: 'Running',
        podIP: address,
        podIPs: [{ ip: address }],
        hostIP: nodeAddress,
        startTime: time,
        conditions: [
          condition('PodScheduled'),
          condition('Initialized'),
          condition('ContainersReady', status),
          condition('Ready', status),
        ],
        containerStatuses: pod.spec.containers.map(({ name, image }) => ({
          ...{ name, image, imageID: image, ready: this.#isReady, started: true },
          restartCount:
            this.#containers.find(({ options }) => options.container.name === name)?.restarts ?? 0,
          state: { running: { startedAt: time } },
        })),
      },
    })
  }
}

/** Ends a container and what it started; after `graceMs` without mercy. */
async function end(child: ChildProcess, graceMs: number): Promise<void> {
  const { pid } = child
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const signal = (name: NodeJS.Signals, target: number): void => {
    try {
      process.kill(target, name)
    } catch {
      // It has ended between the check and the signal.
    }
  }
  // A stopped process takes no SIGTERM before it goes on.
  signal('SIGTERM', pid)
  const timer = setTimeout(() => signal('SIGKILL', -pid), graceMs)
  await exited
  clearTimeout(timer)
  signal('SIGKILL', -pid)
}

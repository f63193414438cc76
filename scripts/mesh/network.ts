import { run } from './shell.ts'

/** The node's address: pods reach the API server at it, and the kubelet's probes come from it. */
export const nodeAddress = '10.244.0.1'
/** Where connections to services come from when nothing in the pod captures them. */
export const proxyAddress = '10.244.0.2'
/** All cluster IPs. */
export const serviceRange = '10.96.0.0/16'

const bridge = 'br0'

/** Turns the network namespace that this process is alone in into a node's network: a bridge for pods. */
export function createNodeNetwork(): void {
  run('ip', ['link', 'set', 'lo', 'up'])
  run('ip', ['link', 'add', bridge, 'type', 'bridge'])
  // A bridge without an address takes the MAC address of a pod, and changes it when the pod ends. Until the neighbour
  // tables of the other pods expire, their packets to the node are lost.
  run('ip', ['link', 'set', bridge, 'address', '02:00:00:00:00:01'])
  run('ip', ['addr', 'add', `${nodeAddress}/16`, 'dev', bridge])
  run('ip', ['addr', 'add', `${proxyAddress}/16`, 'dev', bridge])
  run('ip', ['link', 'set', bridge, 'up'])
  // Every cluster IP is this node's own, so that the proxy for services can listen on each.
  run('ip', ['route', 'add', 'local', serviceRange, 'dev', 'lo'])
  // Namespaces of pods get names here, and no other mount namespace sees them.
  run('mkdir', ['-p', '/run/netns'])
  run('mount', ['-t', 'tmpfs', 'tmpfs', '/run/netns'])
}

/** Creates the network of one pod. */
export function createPodNetwork(name: string, address: string): void {
  const outer = `v${name}`
  run('ip', ['netns', 'add', name])
  run('ip', ['link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name])
  run('ip', ['link', 'set', outer, 'master', bridge, 'up'])
  run('ip', ['-n', name, 'link', 'set', 'lo', 'up'])
  run('ip', ['-n', name, 'addr', 'add', `${address}/16`, 'dev', 'eth0'])
  run('ip', ['-n', name, 'link', 'set', 'eth0', 'up'])
  run('ip', ['-n', name, 'route', 'add', 'default', 'via', nodeAddress])
}

/** Removes the network of a pod; its end of the bridge goes with it. */
export function removePodNetwork(name: string): void {
  run('ip', ['netns', 'delete', name])
}

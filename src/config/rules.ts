import type { Path } from '../base/document/yaml.ts'
import { foldName } from '../base/http/header-name.ts'
import { isLoopback } from '../base/http/loopback.ts'
import { type Conflict, type Draft, repetitions } from './conflict.ts'
import type { Settings } from './settings.ts'
import { userIssuerConflicts } from './user-issuer-rules.ts'

// Headers with a meaning for Envoy, the mesh or HTTP. A chain in one of them would be lost, leaked or trusted.
const takenHeaders =
  /^(authorization|proxy-.*|cookie|set-cookie|host|connection|te|trailer|transfer-encoding|upgrade|content-.*|traceparent|tracestate|forwarded|x-forwarded-.*|x-envoy-.*|x-waypoint-.*|x-request-id|waywarden-.*)$/

/** Finds problems that no single value shows. */
export function findConflicts(draft: Draft<Settings>): readonly Conflict[] {
  return [
    ...(draft?.listeners ?? []).flatMap(listenerConflicts),
    ...portConflicts(draft),
    ...chainConflicts(draft),
    ...ingressConflicts(draft),
    ...userIssuerConflicts(draft),
    ...policyConflicts(draft?.policy),
    ...workerConflicts(draft),
  ]
}

function listenerConflicts(
  listener: Draft<Settings['listeners'][number]>,
  index: number,
): readonly Conflict[] {
  if (listener === undefined) return []
  const { address, socketAccess, peer, plaintext, tls, transport, reflection } = listener
  const provesClients = tls?.clientCa !== undefined
  const conflicts: Conflict[] = []
  if (isOpen(address) && !provesClients && plaintext === undefined) {
    const message =
      'any client that reaches this port could pose as a waypoint; set `tls.clientCa`, listen on 127.0.0.1, or write `plaintext: behind-ztunnel` when ztunnel guards it'
    conflicts.push({ path: ['listeners', index, 'address'], message })
  }
  if (peer === 'principal' && !provesClients) {
    const message =
      '`principal` trusts every client of this port, so it requires client certificates; set `tls.clientCa`'
    conflicts.push({ path: ['listeners', index, 'peer'], message })
  }
  if (plaintext !== undefined && provesClients) {
    const message =
      'conflicts with `tls.clientCa`, which already authenticates the clients; remove one of the two'
    conflicts.push({ path: ['listeners', index, 'plaintext'], message })
  }
  if (address?.path !== undefined && plaintext !== undefined) {
    const message = 'is for ports: the file mode protects a Unix socket; remove it'
    conflicts.push({ path: ['listeners', index, 'plaintext'], message })
  }
  if (address !== undefined && address.path === undefined && socketAccess !== undefined) {
    const message = 'is for Unix sockets, and the address is a port; remove it'
    conflicts.push({ path: ['listeners', index, 'socketAccess'], message })
  }
  if (transport === 'lean' && reflection) {
    const message = 'only `transport: grpc-js` answers reflection; remove one of the two'
    conflicts.push({ path: ['listeners', index, 'reflection'], message })
  }
  return conflicts
}

type ListenAddress = Draft<Settings['listeners'][number]['address']>

/** True if other machines can reach it. */
function isOpen(listen: ListenAddress): boolean {
  if (listen === undefined || listen.path !== undefined || listen.address === undefined) return false
  return !isLoopback(listen.address)
}

function portConflicts(draft: Draft<Settings>): readonly Conflict[] {
  const endpoints = [
    ...(draft?.listeners ?? []).map((listener, index) => ({
      at: listener?.address,
      path: ['listeners', index, 'address'],
    })),
    { at: draft?.admin?.address, path: ['admin', 'address'] },
  ]
  const ports = endpoints.map(({ at, path }) => ({
    path,
    value: toListenName(at),
  }))
  return repetitions(ports, 'address')
}

function toListenName(listen: ListenAddress): string | undefined {
  if (listen === undefined) return undefined
  if (listen.path !== undefined) return listen.path
  return listen.port ? `${listen.address}:${listen.port}` : undefined
}

function chainConflicts(draft: Draft<Settings>): readonly Conflict[] {
  const { header, hopLifetime, maxLifetime } = draft?.chain ?? {}
  const conflicts: Conflict[] = []
  if (hopLifetime !== undefined && maxLifetime !== undefined && hopLifetime > maxLifetime) {
    const message = 'a hop would outlive its chain; set `chain.maxLifetime` or less'
    conflicts.push({ path: ['chain', 'hopLifetime'], message })
  }
  if (header !== undefined && takenHeaders.test(foldName(header))) {
    const message = `\`${header}\` has a meaning of its own; choose another name, such as \`actor-chain\``
    conflicts.push({ path: ['chain', 'header'], message })
  }
  const copies = draft?.ingress?.tokenCopies ?? []
  for (const [index, copy] of copies.entries()) {
    if (copy !== undefined && header !== undefined && foldName(copy) === foldName(header)) {
      const message = `\`${copy}\` carries the chain and cannot be removed as a copy of the token; take it off the list`
      conflicts.push({ path: ['ingress', 'tokenCopies', index], message })
    }
  }
  return conflicts
}

function ingressConflicts(draft: Draft<Settings>): readonly Conflict[] {
  const peers = draft?.ingress?.peers ?? []
  const own = draft?.chain?.trustDomain
  // A user entry with an invalid name may be the one that a peer refers to, so nothing is reported.
  const users = draft?.users?.map((user) => user?.name)
  const isKnown = (name: string | undefined): boolean =>
    users === undefined || users.includes(name) || users.includes(undefined)
  const perPeer = peers.flatMap((peer, index) => {
    const conflicts: Conflict[] = []
    if (peer?.id !== undefined && own !== undefined && peer.id.trustDomain !== own) {
      const message = `expected an ID of \`chain.trustDomain\` \`${own}\`, found \`${peer.id.uri}\``
      conflicts.push({ path: ['ingress', 'peers', index, 'id'], message })
    }
    if (peer?.issuers?.length === 0) {
      const message =
        'expected at least one name of `users`, found none; without one this peer can present no token'
      conflicts.push({ path: ['ingress', 'peers', index, 'issuers'], message })
    }
    const strangers = [...(peer?.issuers ?? []).entries()].filter(([, name]) => !isKnown(name))
    return conflicts.concat(
      strangers.map(([position, name]) => ({
        path: ['ingress', 'peers', index, 'issuers', position],
        message: `expected a name of \`users\`, found \`${name}\`; add it there, or correct it here`,
      })),
    )
  })
  const ids = peers.map((peer, index) => ({ value: peer?.id?.uri, path: ['ingress', 'peers', index, 'id'] }))
  return [...perPeer, ...repetitions(ids, 'SPIFFE ID')]
}

function policyConflicts(policy: Draft<Settings['policy']>): readonly Conflict[] {
  if (policy === undefined) return []
  const { directory, git } = policy
  const conflicts: Conflict[] = []
  const say = (path: Path, message: string) => conflicts.push({ path: ['policy', ...path], message })
  if (directory === undefined && git === undefined)
    say([], 'expected `directory` or `git`, found neither; name the source of the policies')
  if (directory !== undefined && git !== undefined)
    say(['git'], 'conflicts with `policy.directory`; there is one policy source, remove the other')
  conflicts.push(...shadowConflicts(policy))
  const scheme = git?.url?.split(':', 1)[0]
  if (scheme === undefined) return conflicts
  for (const key of ['sshKey', 'knownHosts'] as const)
    if (git?.[key] !== undefined && scheme !== 'ssh')
      say(['git', key], `is for ssh, and the URL is ${scheme}; remove it`)
  for (const key of ['tokenFile', 'ca', 'proxy', 'proxyAuthFile'] as const)
    if (git?.[key] !== undefined && scheme !== 'https')
      say(['git', key], `is for https, and the URL is ${scheme}; remove it`)
  if (git?.proxyAuthFile !== undefined && git.proxy === undefined)
    say(['git', 'proxyAuthFile'], 'is for a proxy, and there is none; set `policy.git.proxy`, or remove it')
  if (scheme === 'ssh' && git?.knownHosts === undefined)
    say(['git', 'url'], 'an ssh host needs a known key; add it in `policy.git.knownHosts`')
  return conflicts
}

/** Only the replica that issued a chain can recover it. */
function workerConflicts(draft: Draft<Settings>): readonly Conflict[] {
  if (draft?.recovery === undefined || (draft.workers ?? 1) === 1) return []
  const message = 'a worker cannot recover the chains of another worker; remove it, or set `workers: 1`'
  return [{ path: ['recovery'], message }]
}

/** The shadow must differ from the serving revision only in its content. */
function shadowConflicts({
  directory,
  git,
  shadow,
}: Draft<Settings['policy']> & object): readonly Conflict[] {
  if (shadow === undefined) return []
  const conflicts: Conflict[] = []
  const say = (path: Path, message: string) =>
    conflicts.push({ path: ['policy', 'shadow', ...path], message })
  if (shadow.ref === undefined && shadow.directory === undefined)
    say([], 'expected `ref` or `directory`, found neither; name the policies to judge by')
  if (shadow.ref !== undefined && git === undefined)
    say(['ref'], 'is for `policy.git`; with `policy.directory` name another `directory`')
  if (shadow.directory !== undefined && directory === undefined)
    say(['directory'], 'is for `policy.directory`; with `policy.git` name another `ref`')
  if (shadow.directory !== undefined && shadow.directory === directory)
    say(['directory'], 'is the serving source; name another directory, or remove `policy.shadow`')
  if (git?.ref !== undefined && shadow.ref === git.ref)
    say(['ref'], 'is the serving branch; name another branch, or remove `policy.shadow`')
  return conflicts
}

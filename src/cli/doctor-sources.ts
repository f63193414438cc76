import { execFile } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { at, textsAt } from '../base/document/kube-object.ts'
import { type Invalid, invalid } from '../base/model/invalid.ts'
import type { Config } from '../config/config.ts'
import type { ReplicaView } from '../doctor/replicas.ts'
import type { CatalogService } from '../policy/catalog/catalog.ts'
import { readInput } from './input.ts'
import type { Terminal } from './terminal.ts'

const kinds = [
  'namespaces',
  'services',
  'pods',
  'configmaps',
  'deployments.apps',
  'networkpolicies.networking.k8s.io',
  'gateways.gateway.networking.k8s.io',
  'authorizationpolicies.security.istio.io',
  'peerauthentications.security.istio.io',
  'envoyfilters.networking.istio.io',
  'serviceentries.networking.istio.io',
]
const kubectl = 'kubectl'
const kubectlArguments = ['get', kinds.join(','), '--all-namespaces', '--output=json']
const maxOutputBytes = 512 * 1024 * 1024
const kubectlTimeoutMs = 60_000
const adminTimeoutMs = 3000
// `Date` is the start of a second; on average half of it is over.
const halfSecondMs = 500

/** The one command that reads the cluster. It reads no Secret and changes nothing. */
export const kubectlCommand: string = [kubectl, ...kubectlArguments].join(' ')

/** Returns kubectl's output: from a file, from stdin (`-`), or from running it. */
export async function runKubectl(
  file: string | undefined,
  terminal: Terminal,
): Promise<{ readonly text: string } | Invalid> {
  if (file !== undefined) return readInput(file, terminal)
  return new Promise((resolve) => {
    const options = { maxBuffer: maxOutputBytes, timeout: kubectlTimeoutMs }
    execFile(kubectl, kubectlArguments, options, (error, stdout, stderr) => {
      if (error === null) return resolve({ text: stdout })
      const detail =
        error.code === 'ENOENT'
          ? 'it is not on the PATH'
          : (stderr.trim() || error.message).split('\n').at(-1)
      resolve(invalid(`kubectl cannot be run: ${detail}`))
    })
    terminal.complain(`$ ${kubectlCommand}`)
  })
}

/** Reads readiness, keys and time from each admin port. */
export function readReplicas(urls: readonly string[], nowMs: () => number): Promise<readonly ReplicaView[]> {
  return Promise.all(
    urls.map(async (given) => {
      const url = given.replace(/\/+$/, '')
      const sentMs = nowMs()
      const ready = await get(`${url}/readyz`)
      const halfwayMs = (sentMs + nowMs()) / 2
      const readiness = ready && toReadiness(ready.body)
      const dateMs = Date.parse(ready?.date ?? '')
      const jwks = readiness === undefined ? undefined : await get(`${url}/.well-known/jwks.json`)
      return {
        url,
        readiness,
        jwks: jwks?.status === 200 ? jwks.body : undefined,
        clockAheadMs: Number.isNaN(dateMs) ? undefined : dateMs + halfSecondMs - halfwayMs,
      }
    }),
  )
}

/** Reads the configured key sets of identity providers. */
export function readUserKeys(
  users: Config['users'],
): Promise<readonly { readonly name: string; readonly file: string; readonly text: string | undefined }[]> {
  return Promise.all(
    users.flatMap(({ name, keySource }) => {
      if (keySource.kind !== 'file') return []
      const { path } = keySource
      return [
        readFile(path, 'utf8').then(
          (text) => ({ name, file: path, text }),
          () => ({ name, file: path, text: undefined }),
        ),
      ]
    }),
  )
}

/** Resolves every name in the addresses of services. */
export async function resolveNames(
  services: readonly Pick<CatalogService, 'addresses'>[],
): Promise<ReadonlyMap<string, readonly string[] | undefined>> {
  const named = services.flatMap(({ addresses }) => addresses.filter(({ isIp }) => !isIp))
  const names = [...new Set(named.map(({ host }) => host))]
  const answers = await Promise.all(
    names.map(async (name) => {
      const found = await lookup(name, { all: true }).catch(() => [])
      return [name, found.map(({ address }) => address)] as const
    }),
  )
  return new Map(answers)
}

async function get(
  url: string,
): Promise<{ readonly status: number; readonly date: string | null; readonly body: string } | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(adminTimeoutMs), redirect: 'error' })
    return { status: response.status, date: response.headers.get('date'), body: await response.text() }
  } catch {
    return undefined
  }
}

function toReadiness(body: string): ReplicaView['readiness'] {
  try {
    const page: unknown = JSON.parse(body)
    const isReady = at(page, 'ready')
    if (typeof isReady !== 'boolean') return undefined
    return { isReady, reasons: textsAt(page, 'reasons'), notices: textsAt(page, 'notices') }
  } catch {
    return undefined
  }
}

import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Processes } from '../../demo/processes.ts'
import { Api } from './kubernetes.ts'
import { nodeAddress, serviceRange } from './network.ts'
import { until } from './shell.ts'

/** A running API server with its controllers. */
export type ControlPlane = {
  readonly api: Api
  readonly ca: string
  readonly token: string
  /** For kubectl, within this network. */
  readonly kubeconfig: string
}

const port = 6443

/** Starts etcd, kube-apiserver and kube-controller-manager on an empty folder. */
export async function startControlPlane(
  processes: Processes,
  programs: string,
  directory: string,
): Promise<ControlPlane> {
  const pki = join(directory, 'pki')
  mkdirSync(pki, { recursive: true })
  const token = randomUUID()
  const accountKey = join(pki, 'accounts.key')
  const tokens = join(pki, 'tokens.csv')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeFileSync(accountKey, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 })
  writeFileSync(tokens, `${token},admin,admin,system:masters\n`, { mode: 0o600 })
  await processes.start({
    name: 'etcd',
    command: join(programs, 'etcd'),
    args: [
      `--data-dir=${join(directory, 'etcd')}`,
      '--listen-client-urls=http://127.0.0.1:2379',
      '--advertise-client-urls=http://127.0.0.1:2379',
      '--listen-peer-urls=http://127.0.0.1:2380',
      // Nothing here outlives the process.
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
    readyUrl: 'http://127.0.0.1:2379/health',
  })
  await processes.start({
    name: 'kube-apiserver',
    command: join(programs, 'kube-apiserver'),
    args: apiServerFlags({ pki, tokens, accountKey }),
  })
  // The server makes its own certificate, which is its own authority.
  const ca = await until('the API server to write its certificate', () =>
    readIfThere(join(pki, 'apiserver.crt')),
  )
  const api = new Api({ host: '127.0.0.1', port, ca, token })
  await until('the API server to be ready', () => api.get('/readyz'), 300_000)
  const kubeconfig = join(directory, 'kubeconfig')
  writeKubeconfig(kubeconfig, port, ca, token)
  await processes.start({
    name: 'kube-controller-manager',
    command: join(programs, 'kube-controller-manager'),
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--service-account-private-key-file=${accountKey}`,
      `--root-ca-file=${join(pki, 'apiserver.crt')}`,
      '--leader-elect=false',
      // No cloud, and the one node never goes away.
      '--controllers=*,-node-lifecycle-controller,-taint-eviction-controller,-node-ipam-controller',
    ],
  })
  return { api, ca, token, kubeconfig }
}

/** Writes a kubeconfig for an API server on loopback. */
export function writeKubeconfig(file: string, at: number, ca: string, token: string): void {
  const cluster = {
    server: `https://localhost:${at}`,
    'certificate-authority-data': Buffer.from(ca).toString('base64'),
  }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'mesh', cluster }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'mesh', context: { cluster: 'mesh', user: 'admin' } }],
    'current-context': 'mesh',
  }
  writeFileSync(file, stringify(config), { mode: 0o600 })
}

function apiServerFlags(files: {
  readonly pki: string
  readonly tokens: string
  readonly accountKey: string
}): readonly string[] {
  return [
    '--etcd-servers=http://127.0.0.1:2379',
    `--secure-port=${port}`,
    `--advertise-address=${nodeAddress}`,
    `--cert-dir=${files.pki}`,
    `--token-auth-file=${files.tokens}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${files.accountKey}`,
    `--service-account-signing-key-file=${files.accountKey}`,
    `--service-cluster-ip-range=${serviceRange}`,
    '--allow-privileged=true',
    // Webhooks are called at their pods.
    '--enable-aggregator-routing=true',
  ]
}

function readIfThere(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8')
    return text.includes('-----END CERTIFICATE-----') ? text : undefined
  } catch {
    return undefined
  }
}

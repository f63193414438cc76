import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { freePorts } from '../../demo/ports.ts'
import type { Processes } from '../../demo/processes.ts'

const version = '26.7.3'
const tools = join(import.meta.dirname, '..', '..', '.tools', 'keycloak')
const home = join(tools, `keycloak-${version}`)
const certificates = resolve(import.meta.dirname, '..', '..', 'test', 'support', 'keys')
const readyWithinMs = 180_000

/** The origin of the issuers of this Keycloak, whatever address reaches it. */
export const hostname = 'https://idp.hospital.example'

/** The folder of `kcadm.sh`. */
export const commands: string = join(home, 'bin')

/** The password of the administrator. */
export const adminPassword = 'admin'

/** A Keycloak on loopback: for administrators and clients by http, for the keys by https. */
export type KeycloakServer = { readonly url: string; readonly secureUrl: string; readonly ca: string }

/** Starts a Keycloak with its data in memory. It needs Java, and Maven to fetch it once. */
export async function startKeycloak(processes: Processes): Promise<KeycloakServer> {
  fetchKeycloak()
  const [port = 0, securePort = 0, managementPort = 0] = await freePorts(3)
  const url = `http://127.0.0.1:${port}`
  const ca = join(certificates, 'loopback-tls.crt.pem')
  await processes.start({
    name: 'keycloak',
    command: join(commands, 'kc.sh'),
    args: [
      ...['start-dev', '--db=dev-mem', '--cache=local', `--hostname=${hostname}`],
      ...['--http-host=127.0.0.1', `--http-port=${port}`, `--http-management-port=${managementPort}`],
      // The management port has no TLS, so that its probe stays as simple.
      ...[`--https-port=${securePort}`, '--http-management-scheme=http'],
      ...[`--https-certificate-file=${ca}`],
      ...[`--https-certificate-key-file=${join(certificates, 'loopback-tls.key.pem')}`],
    ],
    env: { KC_BOOTSTRAP_ADMIN_USERNAME: 'admin', KC_BOOTSTRAP_ADMIN_PASSWORD: adminPassword },
    readyUrl: `${url}/realms/master`,
    readyWithinMs,
  })
  return { url, secureUrl: `https://127.0.0.1:${securePort}`, ca }
}

function fetchKeycloak(): void {
  if (existsSync(join(commands, 'kc.sh'))) return
  mkdirSync(tools, { recursive: true })
  const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack'
  const artifact = `-Dartifact=org.keycloak:keycloak-quarkus-dist:${version}:zip`
  const { status } = spawnSync('mvn', ['-q', '-B', plugin, artifact, `-DoutputDirectory=${tools}`], {
    cwd: tools,
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) throw new Error('Keycloak could not be fetched; it needs Maven and Java >= 17')
}

import { execFileSync } from 'node:child_process'
import { appendFileSync, copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { join } from 'node:path'
import { createIdp, type Idp, idpIssuer } from '../../demo/idp.ts'
import { run } from './shell.ts'

/** An identity provider that publishes its keys where the guide fetches them. */
export type IdentityProvider = {
  readonly idp: Idp
  /** A folder with nothing but its public keys. */
  readonly folder: string
  /** For CURL_CA_BUNDLE. */
  readonly certificate: string
  readonly server: Server
}

/** Serves the keys by TLS on loopback, and lets this mount namespace's /etc/hosts lead there. */
export async function createIdentityProvider(directory: string): Promise<IdentityProvider> {
  const folder = join(directory, 'identity-provider')
  mkdirSync(folder)
  const { hostname } = new URL(idpIssuer)
  const key = join(directory, 'identity-provider.key')
  const certificate = join(directory, 'identity-provider.crt')
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ]
  const names = ['-subj', `/CN=${hostname}`, '-addext', `subjectAltName=DNS:${hostname}`]
  execFileSync('openssl', [...request, '-keyout', key, '-out', certificate, ...names], { stdio: 'ignore' })
  const hosts = join(directory, 'hosts')
  copyFileSync('/etc/hosts', hosts)
  appendFileSync(hosts, `\n127.0.0.1 ${hostname}\n`)
  run('mount', ['--bind', hosts, '/etc/hosts'])
  const idp = await createIdp(join(folder, 'jwks.json'))
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (_, response) => {
    response.end(readFileSync(idp.jwksFile))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(443, '127.0.0.1', resolve)
  })
  return { idp, folder, certificate, server }
}

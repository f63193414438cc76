import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isProblems } from '../../src/base/model/problems.ts'
import { type Config, parseConfig } from '../../src/config/config.ts'
import { type App, startApp } from '../../src/server/app.ts'
import {
  type CheckRequestFields,
  type CheckResponseFields,
  decodeCheckResponse,
  encodeCheckRequest,
} from './check-request.ts'
import { forge, readJwks, readKey, signer } from './forge.ts'
import { type CallMetadata, createGrpcClient, type GrpcClient } from './grpc-client.ts'
import { accessClaims, accessHeader, type ChainClaims, chainClaims, chainHeader, uris } from './hospital.ts'
import { copyPolicies } from './sample-policies.ts'
import { settings } from './settings.ts'

/** A whole Waywarden on loopback with throwaway keys, and a client that asks it as a waypoint would. */
export type RunningApp = AsyncDisposable & {
  readonly app: App
  readonly directory: string
  readonly client: GrpcClient
  /** Asks about a request of `peer`, proven by XFCC. */
  readonly ask: (request: Request) => Promise<CheckResponseFields>
}

/** A request at a waypoint; `xfcc` overrides what the waypoint says of `peer`. */
export type Request = CheckRequestFields & {
  readonly peer?: string
  readonly xfcc?: string | undefined
  readonly metadata?: CallMetadata
}

/** The clerk's chain as agent D holds it, valid now; claims overlaid. */
export function chainNow(overlay: Partial<ChainClaims> = {}, header: object = chainHeader): string {
  const now = Math.floor(Date.now() / 1000)
  const tctx = { groups: ['billing'], auth_time: now - 600, root_iat: now - 90, ceil: now + 3000 }
  const claims = { ...chainClaims, iat: now - 60, exp: now + 240, tctx, ...overlay }
  return forge(header, claims, signer('chain'))
}

/** The clerk's access token, valid now; claims overlaid. */
export function tokenNow(overlay: Readonly<Record<string, unknown>> = {}): string {
  const now = Math.floor(Date.now() / 1000)
  const times = { iat: now - 60, exp: now + 240, auth_time: now - 600 }
  return forge(accessHeader, { ...accessClaims, ...times, ...overlay }, signer('hospital-idp'))
}

/** Writes what the settings under test name: keys, revocations, and the sample policies without their tests, unless there are others. */
export async function writeTestFiles(directory: string): Promise<void> {
  await mkdir(join(directory, 'keys'), { recursive: true })
  await writeFile(join(directory, 'keys/active.jwk.json'), readKey('chain'))
  await writeFile(join(directory, 'idp-jwks.json'), readJwks('hospital-idp'))
  await writeFile(join(directory, 'revocations.json'), '{"version":1,"entries":[{"txn":"revoked"}]}')
  copyPolicies(join(directory, 'policies'), { force: false })
}

/** Starts in `directory` with the sample policies, or with those that already lie there. */
export async function startTestApp(
  directory: string,
  overlay: (config: Config) => Config = (config) => config,
  pollMs?: number,
): Promise<RunningApp> {
  await writeTestFiles(directory)
  const config = parseConfig(join(directory, 'waywarden.yaml'), settings, new Map())
  if (isProblems(config)) throw new TypeError(JSON.stringify(config.problems))
  const app = await startApp(overlay(config), pollMs)
  const port = Number(app.addresses.listeners[0]?.split(':').at(-1))
  const client = createGrpcClient(port)
  return {
    app,
    directory,
    client,
    async ask({ peer = uris.agentD, xfcc = `By=${uris.waypoint};URI=${peer}`, metadata, ...request }) {
      const headers = { 'x-forwarded-client-cert': xfcc, ...request.headers }
      const defaults = { method: 'GET', path: '/coverage/42', destinationAddress: '10.96.0.10:8080' }
      return decodeCheckResponse(
        await client.check(encodeCheckRequest({ ...defaults, ...request, headers }), metadata),
      )
    },
    async [Symbol.asyncDispose]() {
      client.close()
      await app[Symbol.asyncDispose]()
    },
  }
}

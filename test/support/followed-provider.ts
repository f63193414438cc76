import type { Config } from '../../src/config/config.ts'
import type { RemoteKeys } from '../../src/config/key-source.ts'
import { uris } from './hospital.ts'
import type { Provider } from './provider.ts'
import { type RunningApp, startTestApp } from './running-app.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Starts a Waywarden that follows this provider. */
export function follow(
  { jwksUrl, ca }: Provider,
  overlay: Partial<RemoteKeys> = {},
  config: Partial<Config> = {},
): Promise<RunningApp> {
  const keySource: RemoteKeys = {
    kind: 'remote',
    url: jwksUrl,
    discovery: undefined,
    ca,
    everyMs: 3_600_000,
    cooldownMs: 60_000,
    keep: undefined,
    seed: undefined,
    maxStalenessMs: 86_400_000,
    ...overlay,
  }
  return startTestApp(temporaryDirectory(), (given) => ({
    ...given,
    ...config,
    users: given.users.map((user) => ({ ...user, keySource })),
  }))
}

/** The result of a login: `ok` or the code, and what the client sees of it. */
export type Login = {
  readonly code: unknown
  readonly httpStatus: number | undefined
  readonly retryAfter: string | undefined
}

/** Presents a token as the gateway does. */
export async function login(running: RunningApp, token: string): Promise<Login> {
  const { kind, body, httpStatus, clientHeaders } = await running.ask({
    method: 'POST',
    path: '/tasks',
    destinationAddress: '10.96.0.4:8080',
    peer: uris.gateway,
    headers: { authorization: `Bearer ${token}` },
  })
  return {
    code: kind === 'ok' ? 'ok' : body?.['code'],
    httpStatus,
    retryAfter: clientHeaders?.['retry-after'],
  }
}

/** The body of /readyz without `ready`. */
export async function noticesOf({ app }: RunningApp): Promise<readonly string[]> {
  return JSON.parse(await (await fetch(`http://${app.addresses.admin}/readyz`)).text()).notices
}

/** Waits for what comes about by itself; the runner's own time limit ends a wait in vain. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 10))
}

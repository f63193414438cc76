import { readFile } from 'node:fs/promises'
import type { ChainKeys } from '../chain/keys.ts'
import { loadKeys } from '../chain/keys-source.ts'
import type { Config } from '../config/config.ts'
import type { UserIssuer } from '../identity/user-issuer.ts'
import { parseJwks } from '../jws/key-set.ts'
import { isInvalid } from '../model/invalid.ts'

/** The keys that a running Waywarden signs and verifies with. */
export type Credentials = {
  readonly keys: ChainKeys
  /** Every configured identity provider, with its keys. */
  readonly issuers: readonly UserIssuer[]
}

/** Files that the configuration names cannot be used; `problems` has each of them. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly code = 'start_failed'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** Reads signing keys and the identity providers' key sets; throws a `StartError` with every problem. */
export async function loadCredentials(config: Config): Promise<Credentials> {
  const problems: string[] = []
  const keys = await loadKeys(config.chain.keys)
  if (!('signing' in keys)) problems.push(...keys.map(({ reason }) => `${config.chain.keys}: ${reason}`))
  const issuers: UserIssuer[] = []
  for (const { jwks, ...user } of config.users) {
    const keySet = await readKeySet(jwks)
    if (typeof keySet === 'string') problems.push(keySet)
    else issuers.push({ ...user, keys: keySet })
  }
  if (!('signing' in keys) || problems.length > 0) throw new StartError(problems)
  return { keys, issuers }
}

async function readKeySet(path: string): Promise<UserIssuer['keys'] | string> {
  try {
    const keySet = parseJwks(await readFile(path, 'utf8'))
    return isInvalid(keySet) ? `${path}: ${keySet.reason}` : keySet
  } catch (cause) {
    return `${path}: cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`
  }
}

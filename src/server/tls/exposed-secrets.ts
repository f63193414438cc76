import { realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { keyFiles } from '../../decision/chain/keys.ts'

const othersMayRead = 0o004
const othersMayEnter = 0o001

/**
 * Lists files with secrets that every user of this machine can read, one notice for each. A file that cannot be examined
 * gives none.
 */
export async function findExposedSecrets(config: Config): Promise<readonly string[]> {
  const notices = await Promise.all(
    secretsOf(config).map(async ({ key, file }) => {
      const mode = await exposedModeOf(file)
      return mode === undefined
        ? []
        : [`\`${key}\`: every user of this machine can read ${file} (mode ${mode}): chmod 600`]
    }),
  )
  return notices.flat()
}

type Secret = { readonly key: string; readonly file: string }

/** Lists every configured file that must stay secret, with its configuration key. */
export function secretsOf({ chain, listeners, audit, policy, tracing }: Config): readonly Secret[] {
  const named: readonly (readonly [key: string, file: string | undefined])[] = [
    ...keyFiles.map((name) => ['chain.keys', join(chain.keys, name)] as const),
    ...listeners.map(({ tls }, index) => [`listeners.${index}.tls.key`, tls?.key] as const),
    ['audit.key', audit.key],
    ['audit.pseudonyms', audit.pseudonyms],
    ['policy.git.sshKey', policy.git?.sshKey],
    ['policy.git.tokenFile', policy.git?.tokenFile],
    ['policy.git.proxyAuthFile', policy.git?.proxyAuthFile],
    ...(tracing?.endpoints ?? []).flatMap(({ headers }, index) =>
      headers.map(({ file }) => [`tracing.endpoints.${index}.headers`, file] as const),
    ),
  ]
  return named.flatMap(([key, file]) => (file === undefined ? [] : [{ key, file }]))
}

async function exposedModeOf(file: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(file)
    if ((mode & othersMayRead) === 0) return undefined
    // A closed directory protects all its files. Kubernetes mounts a file as a link into another directory.
    for (const path of [file, await realpath(file)])
      for (let place = dirname(path); ; place = dirname(place)) {
        if (((await stat(place)).mode & othersMayEnter) === 0) return undefined
        if (place === dirname(place)) break
      }
    return (mode & 0o777).toString(8).padStart(4, '0')
  } catch {
    return undefined
  }
}

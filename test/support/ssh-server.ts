import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { temporaryDirectory } from './temporary-directory.ts'

/** A key pair as ssh-keygen writes it: the private key's file, and the public key as text. */
export type SshKey = { readonly path: string; readonly publicKey: string }

/** A real SSH server on a port of its own. */
export type SshServer = AsyncDisposable & { readonly port: number }

const program = join(import.meta.dirname, '../../.tools/bin/git-ssh')

/** Makes a key pair without a passphrase. */
export function createSshKey(): SshKey {
  const path = join(temporaryDirectory(), 'key')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', path])
  return { path, publicKey: readFileSync(`${path}.pub`, 'utf8').trim() }
}

/** Starts an SSH server that proves itself by `host` and lets `user` fetch any repository of this machine. */
export async function startSshServer(host: SshKey, user: SshKey): Promise<SshServer> {
  const child = spawn(program, [host.path, `${user.path}.pub`, 'git'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = await once(createInterface(child.stdout), 'line')
  return { port: Number(line), [Symbol.asyncDispose]: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.stdin?.end()
  await ended
}

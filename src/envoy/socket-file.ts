import type { Stats } from 'node:fs'
import { chmod, lstat, mkdtemp, rename, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { isAbsent } from '../base/model/fault.ts'
import { type SocketFile, TransportError } from './transport.ts'

/**
 * Listens on a Unix socket; the result removes its file. The socket is created in a private directory and moved after its
 * mode is set, so that no unauthorized process can ever connect. Moving replaces a socket that nobody answers. Throws a
 * `TransportError`.
 */
export async function listenOnSocketFile(
  { path, mode }: SocketFile,
  listen: (path: string) => Promise<unknown>,
): Promise<() => Promise<void>> {
  await checkUnused(path)
  const directory = await mkdtemp(`${path}.`).catch((cause: unknown) => refuseDirectory(path, cause))
  try {
    const made = join(directory, 's')
    await listen(made)
    await chmod(made, mode)
    const own = await lstat(made)
    await rename(made, path)
    return () => removeOwn(path, own)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Only a socket without a listener may be replaced. */
async function checkUnused(path: string): Promise<void> {
  const found = await statOf(path).catch((cause: unknown) => refuseDirectory(path, cause))
  if (found === undefined) return
  if (!found.isSocket()) {
    throw new TransportError(`\`${path}\` is there and is no socket; remove it, or listen elsewhere`)
  }
  const failure = await connectTo(path)
  if (failure === undefined) {
    throw new TransportError(`another process listens on \`${path}\`; stop it, or listen elsewhere`)
  }
  const isStale = failure.code === 'ECONNREFUSED' || failure.code === 'ENOENT'
  if (!isStale) {
    throw new TransportError(`cannot tell whether somebody listens on \`${path}\``, { cause: failure })
  }
}

/** Returns the error of connecting; `undefined` if it succeeded. */
function connectTo(path: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('error', resolve)
    socket.once('connect', () => {
      socket.destroy()
      resolve(undefined)
    })
  })
}

function refuseDirectory(path: string, cause: unknown): never {
  throw new TransportError(
    `cannot listen on \`${path}\`: expected \`${dirname(path)}\` to be a directory in which files can be made`,
    { cause },
  )
}

/** Another process may listen there now; then the file must stay. */
async function removeOwn(path: string, own: Stats): Promise<void> {
  // A file that cannot be examined may belong to another process, so it stays.
  const found = await statOf(path).catch(() => undefined)
  if (found?.ino === own.ino && found.dev === own.dev) await rm(path, { force: true })
}

/** Returns `undefined` only if the path does not exist. Any other error may hide another process' socket. */
async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (cause) {
    if (isAbsent(cause)) return undefined
    throw cause
  }
}

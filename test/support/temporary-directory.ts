import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let root: string | undefined

/** A new directory that is gone when the process ends. */
export function temporaryDirectory(): string {
  root ??= createRoot()
  return mkdtempSync(join(root, 'test-'))
}

function createRoot(): string {
  const created = mkdtempSync(join(tmpdir(), 'waywarden-'))
  process.once('exit', () => rmSync(created, { recursive: true, force: true }))
  return created
}

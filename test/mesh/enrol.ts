import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClusterMesh } from '../../scripts/mesh/mesh.ts'

/** The day on which observing ends in these tests, in place of the page's own. */
export const observingEnds: string = new Date(Date.now() + 30 * 24 * 3600 * 1000).toISOString().slice(0, 10)

/** Enrols a namespace by the commands of istio/README.md. */
export async function enrolAsReadmeSays(mesh: ClusterMesh, namespace: string): Promise<void> {
  const text = readFileSync(join(import.meta.dirname, '../../istio/README.md'), 'utf8')
  const [, section = ''] = /^## Enrol a namespace\n([\s\S]*?)^## /m.exec(text) ?? []
  const [, block = ''] = /^```sh\n([\s\S]*?)^```$/m.exec(section) ?? []
  for (const line of block.trim().split('\n'))
    await mesh.run('bash', ['-c', line.replaceAll('namespace billing', `namespace ${namespace}`)])
}

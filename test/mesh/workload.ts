import type { ClusterMesh } from '../../scripts/mesh/mesh.ts'

const namespaces: Readonly<Record<string, string>> = { 'insurance-agent': 'billing', scraper: 'monitoring' }

/** Calls a URL from a workload's pod: status and body, or `closed` when no answer came. */
export async function callFrom(mesh: ClusterMesh, workload: string, url: string): Promise<string> {
  const curl = ['curl', '--silent', '--max-time', '5', '--write-out', '\\n%{http_code}', url]
  const target = ['-n', namespaces[workload] ?? '', 'exec', `deployment/${workload}`, '--']
  const command = 'kubectl "$@" 2>/dev/null || true'
  const output = await mesh.run('bash', ['-c', command, 'call', ...target, ...curl])
  const end = output.lastIndexOf('\n')
  const status = output.slice(end + 1)
  return status === '000' ? 'closed' : `${status} ${output.slice(0, end)}`
}

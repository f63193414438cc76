import type { ClusterMesh } from '../../scripts/mesh/mesh.ts'

/** The output of `waywarden doctor` for the live cluster. */
export type Diagnosis = {
  readonly exitCode: number
  readonly healthy: boolean
  /** The ids of its findings, sorted, each once. */
  readonly ids: readonly string[]
  /** The findings as text, for the message of a failed assertion. */
  readonly text: string
}

type Finding = {
  readonly id: string
  readonly severity: string
  readonly where: string
  readonly what: string
}

/** Runs `waywarden doctor` as a reader of the guide: with the cluster's own configuration and a policy repository. */
export async function diagnose(mesh: ClusterMesh, repository: string): Promise<Diagnosis> {
  const command = 'waywarden doctor --policies policies --json 2>/dev/null; echo "exit $?"'
  const output = await mesh.run('bash', ['-c', command], repository)
  const end = output.lastIndexOf('exit ')
  const { healthy, findings } = JSON.parse(output.slice(0, end)) as {
    readonly healthy: boolean
    readonly findings: readonly Finding[]
  }
  return {
    exitCode: Number(output.slice(end + 'exit '.length)),
    healthy,
    ids: [...new Set(findings.map(({ id }) => id))].sort(),
    text: findings.map(({ id, severity, where, what }) => `${severity} ${id} ${where}: ${what}`).join('\n'),
  }
}

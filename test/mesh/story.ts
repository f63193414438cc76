import { playScenario } from '../../demo/scenario.ts'
import { type Step, steps } from '../../demo/steps.ts'
import { workloads } from '../../demo/world.ts'
import type { ClusterMesh } from '../../scripts/mesh/mesh.ts'
import { until } from '../../scripts/mesh/shell.ts'
import type { DecisionRecord } from '../../src/audit/format/record.ts'

/** The results of the story in the mesh: `enforced` as the steps say, `unguarded` as without Waywarden. */
export type Lane = 'enforced' | 'unguarded'

/** Plays the story; one line for each step whose answer is not as it should be. */
export async function playStory(mesh: ClusterMesh, lane: Lane): Promise<readonly string[]> {
  const results = await playScenario({ idp: mesh.idp, gatewayUrl: mesh.gatewayUrl, replicas: 3 }, 'guarded')
  return steps.flatMap((step) => {
    const result = results.get(step.step)
    const found = `${result?.status} ${result?.code ?? ''}`.trim()
    const wanted = wantedOf(step, lane)
    return found === wanted ? [] : [`${step.step}: expected ${wanted}, found ${found}`]
  })
}

/** As `playStory`, with every decision looked up in what the pods wrote: who called must be as the mesh proved it. */
export async function playRecordedStory(mesh: ClusterMesh): Promise<readonly string[]> {
  const results = await playScenario({ idp: mesh.idp, gatewayUrl: mesh.gatewayUrl, replicas: 3 }, 'guarded')
  const problems = await Promise.all(
    steps.map(async (step) => {
      const result = results.get(step.step)
      const found = `${result?.status} ${result?.code ?? ''}`.trim()
      if (found !== wantedOf(step, 'enforced')) return [`${step.step}: found ${found}`]
      if (result?.decisionId === undefined) return step.status === 200 ? [] : [`${step.step}: no decision id`]
      const record = await findRecord(mesh, result.decisionId)
      const isRight = record.caller?.id === workloads[step.from] && record.code === step.code
      return isRight ? [] : [`${step.step}: the record says ${record.caller?.id} ${record.code}`]
    }),
  )
  return problems.flat()
}

/** The record of a decision, from the standard output of the replica that made it. */
export function findRecord(mesh: ClusterMesh, decisionId: string): Promise<DecisionRecord> {
  return until(`a record of decision ${decisionId}`, async () =>
    (await readRecords(mesh)).find((record) => record.decisionId === decisionId),
  )
}

/** All records that the running replicas have printed. */
export async function readRecords(mesh: ClusterMesh): Promise<readonly DecisionRecord[]> {
  const text = await mesh.kubectl(
    '-n',
    'waywarden',
    'logs',
    '-l',
    'app.kubernetes.io/name=waywarden',
    '--tail=-1',
  )
  return text
    .split('\n')
    .filter((line) => line.includes('"decisionId"') && line.includes('"outcome"'))
    .map((line) => JSON.parse(line) as DecisionRecord)
}

function wantedOf(step: Step, lane: Lane): string {
  return lane === 'enforced' ? `${step.status} ${step.code ?? ''}`.trim() : String(step.without)
}

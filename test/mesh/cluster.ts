import { currentRun } from '../../scripts/mesh/launch.ts'
import { type ClusterMesh, startClusterMesh } from '../../scripts/mesh/mesh.ts'

let started: Promise<ClusterMesh> | undefined

/** The one cluster of a run. The first test that needs it starts it. */
export function cluster(): Promise<ClusterMesh> {
  started ??= start()
  return started
}

async function start(): Promise<ClusterMesh> {
  const run = currentRun()
  if (run === undefined) throw new Error('these tests run by `npm run test:mesh`')
  return startClusterMesh({ ...run, report: (line) => console.log(line) })
}

after(async function () {
  this.timeout(60_000)
  await (await started?.catch(() => undefined))?.[Symbol.asyncDispose]()
})

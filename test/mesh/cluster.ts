import { buildImageTree } from '../../scripts/mesh/image.ts'
import { runFolders } from '../../scripts/mesh/launch.ts'
import { type ClusterMesh, startClusterMesh } from '../../scripts/mesh/mesh.ts'
import { buildPrograms } from '../../scripts/mesh/programs.ts'

let started: Promise<ClusterMesh> | undefined

/** The one cluster of a run, started by whoever asks first. */
export function cluster(): Promise<ClusterMesh> {
  started ??= start()
  return started
}

async function start(): Promise<ClusterMesh> {
  const folders = runFolders()
  if (folders === undefined) throw new Error('these tests run by `npm run test:mesh`')
  const programs = await buildPrograms()
  const { directory, logs } = folders
  return startClusterMesh({
    programs,
    directory,
    logs,
    image: buildImageTree(),
    report: (line) => console.log(line),
  })
}

after(async function () {
  this.timeout(60_000)
  await (await started?.catch(() => undefined))?.[Symbol.asyncDispose]()
})

// `npm run test:mesh`: docs/install.md, word by word, on a real API server and a real istiod, and then what can go wrong.
// Every program runs in namespaces that end with it. Logs stay in .run/mesh. With `--no-bail` it goes on after a failure.
import { join } from 'node:path'
import Mocha from 'mocha'
import { buildImageTree } from './mesh/image.ts'
import { currentRun, endWithLauncher, launch, type Prepared } from './mesh/launch.ts'
import { buildPrograms } from './mesh/programs.ts'

const project = join(import.meta.dirname, '..')

/** In this order, since each goes on where the one before it ended. */
const files = ['install.test.ts', 'operate.test.ts', 'provoke.test.ts', 'leave.test.ts']

// A handle that a failed test left open must not keep the first process of the namespaces alive, because all others end
// with it.
process.exit(currentRun() === undefined ? await prepareAndLaunch() : await runTests())

async function prepareAndLaunch(): Promise<number> {
  let prepared: Prepared
  try {
    prepared = { programs: await buildPrograms(), image: buildImageTree() }
  } catch (error) {
    console.error(`mesh: ${error instanceof Error ? error.message : String(error)}`)
    return 1
  }
  return launch(prepared, import.meta.filename, process.argv.slice(2))
}

async function runTests(): Promise<number> {
  endWithLauncher()
  const bail = !process.argv.includes('--no-bail')
  const mocha = new Mocha({ timeout: 300_000, slow: 0, forbidOnly: true, forbidPending: true, bail })
  for (const file of files) mocha.addFile(join(project, 'test', 'mesh', file))
  await mocha.loadFilesAsync()
  return new Promise((resolve) => {
    mocha.run((failures) => resolve(failures === 0 ? 0 : 1))
  })
}

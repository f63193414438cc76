// One of the processes of scripts/run-tests.mjs: runs each file whose name it reads on file 3, and writes the result to 4.
import { readFileSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import Mocha from 'mocha'

const { timeout, require: required } = JSON.parse(readFileSync('.mocharc.json', 'utf8'))
/** The handles that each file added and that keep this process running. Some of it ends by itself soon after. */
const added = []
/** The runner waits 30 seconds after the last file. */
const graceMs = 25_000

for await (const file of createInterface({ input: new Socket({ fd: 3 }) })) {
  const startedMs = performance.now()
  const before = process.getActiveResourcesInfo()
  const result = await run(file)
  const after = process.getActiveResourcesInfo()
  if (after.length > before.length) added.push(`${file}: ${subtract(after, before).join(', ')}`)
  writeSync(4, `${JSON.stringify({ ...result, seconds: (performance.now() - startedMs) / 1000 })}\n`)
}

// Nothing is left to wait for. To free what the tests used can then take longer than the runner waits.
process.once('beforeExit', () => writeSync(4, `${JSON.stringify({ ended: true })}\n`))
setTimeout(() => {
  const running = process.getActiveResourcesInfo()
  console.log([`still running: ${running.join(', ')}`, ...added].join('\n'))
}, graceMs).unref()

/** The elements of a list without those of another, each as often as it is there more often. */
function subtract(list, others) {
  const left = [...others]
  return list.filter((each) => {
    const at = left.indexOf(each)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

async function run(file) {
  try {
    const mocha = new Mocha({ timeout, forbidOnly: true, forbidPending: true })
    for (const each of [...required, file]) mocha.addFile(each)
    await mocha.loadFilesAsync()
    return await new Promise((resolve) => {
      const runner = mocha.run((failed) => resolve({ passed: runner.stats.passes, failed }))
    })
  } catch (cause) {
    return { passed: 0, failed: 1, how: cause instanceof Error ? cause.stack : String(cause) }
  }
}

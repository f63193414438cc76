// One of the processes of scripts/run-tests.mjs: runs each file whose name it reads on file 3, and writes the result to 4.
import { readFileSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import Mocha from 'mocha'

const { timeout, require: before } = JSON.parse(readFileSync('.mocharc.json', 'utf8'))

for await (const file of createInterface({ input: new Socket({ fd: 3 }) })) {
  const startedMs = performance.now()
  const result = await run(file)
  writeSync(4, `${JSON.stringify({ ...result, seconds: (performance.now() - startedMs) / 1000 })}\n`)
}

async function run(file) {
  try {
    const mocha = new Mocha({ timeout, forbidOnly: true, forbidPending: true })
    for (const each of [...before, file]) mocha.addFile(each)
    await mocha.loadFilesAsync()
    return await new Promise((resolve) => {
      const runner = mocha.run((failed) => resolve({ passed: runner.stats.passes, failed }))
    })
  } catch (cause) {
    return { passed: 0, failed: 1, how: cause instanceof Error ? cause.stack : String(cause) }
  }
}

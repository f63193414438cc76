import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'chai'

const run = promisify(execFile)
const processes = 4
const ports = 150

describe('free ports', () => {
  it('are found by processes at once, none by two of them', async () => {
    const program = `
      import { freePorts } from ${JSON.stringify(new URL('../../demo/ports.ts', import.meta.url).href)}
      const found = await Promise.all([freePorts(${ports / 2}), freePorts(${ports / 2})])
      console.log(JSON.stringify(found.flat()))
      process.stdin.resume().on('end', () => process.exit(0))`
    const running = Array.from({ length: processes }, () =>
      run(process.execPath, ['--import=tsx', '--input-type=module', '-e', program]),
    )
    // Each holds its ports until all have found theirs.
    await Promise.all(
      running.map(({ child }) => new Promise((resolve) => child.stdout?.once('data', resolve))),
    )
    for (const { child } of running) child.stdin?.end()
    const found = (await Promise.all(running)).flatMap(({ stdout }): number[] => JSON.parse(stdout))
    expect(found).to.have.length(processes * ports)
    expect(new Set(found).size).to.equal(found.length)
  })
})

import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { readRecords } from '../../src/audit/read/query.ts'
import { verifyLogs } from '../../src/audit/verify/verify.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { publicKeyOf } from '../support/written-log.ts'

const script = fileURLToPath(new URL('../support/append-records.ts', import.meta.url))
const kills = 200
const modes = ['written', 'durable', 'written', 'durable'] as const

describe('an audit log whose writer is killed', function () {
  this.timeout(1_800_000)

  it(`has every record that was acknowledged, and a sound tree, after ${kills} kills at random points`, async () => {
    const runs = modes.map(async (mode, index) => {
      const directory = join(temporaryDirectory(), 'audit')
      const acknowledged: string[] = []
      for (let kill = 0; kill < kills / modes.length; kill++) {
        acknowledged.push(...(await killed(directory, `${index}.${kill}`, mode)))
      }
      const found = new Set<string>()
      let torn = 0
      for await (const line of readRecords([directory])) {
        if (line.kind === 'record') found.add(line.record.decisionId)
        if (line.kind === 'torn') torn++
      }
      const { logs, problems } = await verifyLogs([directory], {
        keys: [publicKeyOf(directory)],
        exported: [],
      })
      expect(acknowledged.filter((id) => !found.has(id))).to.deep.equal([])
      expect([problems, logs.flatMap(({ flaws }) => flaws)]).to.deep.equal([[], []])
      expect(torn).to.equal(logs.filter(({ verdict }) => verdict.tornBytes > 0).length)
      return acknowledged.length
    })
    for (const acknowledged of await Promise.all(runs)) expect(acknowledged).to.be.greaterThan(kills)
  })
})

/** The records that one writer acknowledged before it was killed. */
async function killed(directory: string, prefix: string, mode: string): Promise<readonly string[]> {
  const args = ['--import', 'tsx', script, directory, prefix, '1000000', '', mode, 'repeated']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const closed = once(child, 'close')
  const acknowledged: string[] = []
  const kill = async (): Promise<void> => {
    await wait(randomInt(40))
    child.kill('SIGKILL')
  }
  let killing: Promise<void> | undefined
  for await (const line of createInterface({ input: child.stderr })) {
    const [word, id] = line.split(' ')
    if (word === 'written' && id !== undefined) acknowledged.push(id)
    killing ??= kill()
  }
  await killing
  await closed
  return acknowledged
}

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { added } from '../support/added-attacks.ts'
import {
  at,
  believedIn,
  complaintsOf,
  copyOf,
  writeThreeLogs,
  writeWorkerLogs,
} from '../support/attacked-logs.ts'
import { removed, replaced } from '../support/attacks.ts'
import { workerAttacks } from '../support/worker-attacks.ts'
import { publicKeyOf, writeLog } from '../support/written-log.ts'

describe('audit, attacked by who can write it and has not the key', function () {
  this.timeout(60_000)
  let genuine: string
  let believed: readonly string[]
  before(async () => {
    genuine = await writeThreeLogs()
    believed = await believedIn([genuine])
    expect(believed).to.have.length(26)
    expect(await complaintsOf([genuine])).to.deep.equal([])
  })

  for (const [what, attacks] of Object.entries({ added, removed, replaced })) {
    for (const { name, change, says } of attacks) {
      it(`notices that somebody ${what} ${name}, and takes nothing for true that was not signed`, async () => {
        const directory = copyOf(genuine)
        await change(directory)
        const complaints = await complaintsOf([directory], genuine)
        expect(complaints.join('\n')).to.match(says)
        const key = [publicKeyOf(genuine)]
        expect(without(await believedIn([directory], key), believed)).to.deep.equal([])
      })
    }
  }

  it('reads all that is genuine beside what was added', async () => {
    // What lies behind a link is not read, though it is genuine.
    for (const { name, change } of added.filter((attack) => !attack.name.endsWith('in place of a segment'))) {
      const directory = copyOf(genuine)
      await change(directory)
      const found = await believedIn([directory], [publicKeyOf(genuine)])
      expect(without(believed, found), name).to.deep.equal([])
    }
  })
})

describe('audit of several workers, attacked', function () {
  this.timeout(60_000)
  let genuine: string
  let believed: readonly string[]
  before(async () => {
    genuine = await writeWorkerLogs()
    believed = await believedIn([genuine])
    expect(believed).to.have.length(28)
    expect(await complaintsOf([genuine])).to.deep.equal([])
  })

  for (const { name, change, says } of workerAttacks) {
    it(`notices that ${name}, and takes nothing for true twice or unsigned`, async () => {
      const directory = copyOf(genuine)
      await change(directory)
      expect((await complaintsOf([directory], genuine)).join('\n')).to.match(says)
      expect(without(await believedIn([directory], [publicKeyOf(genuine)]), believed)).to.deep.equal([])
    })
  }

  it('is not content with the key of a folder when keys differ', async () => {
    const directory = copyOf(genuine)
    rmSync(join(directory, 'log-key.pub'))
    await writeLog(join(directory, 'worker-4'), ['forged'], { ...at(2), origin: 'forger', worker: 4 })
    expect(await believedIn([directory])).to.deep.equal([])
    rmSync(join(directory, 'worker-4'), { recursive: true })
    expect(await believedIn([directory])).to.have.length(28)
  })
})

/** What the one has and the other has not, as often as it has it more often. */
function without(one: readonly string[], other: readonly string[]): readonly string[] {
  const left = [...other]
  return one.filter((each) => {
    const index = left.indexOf(each)
    if (index !== -1) left.splice(index, 1)
    return index === -1
  })
}

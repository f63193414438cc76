import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { formatMetaLine } from '../../src/audit/format/meta-line.ts'
import { openAuditLog } from '../../src/audit/write/open-audit-log.ts'
import { added } from '../support/added-attacks.ts'
import {
  at,
  believedIn,
  complaintsOf,
  copyOf,
  forgedLine,
  writeThreeLogs,
  writeWorkerLogs,
} from '../support/attacked-logs.ts'
import { removed, replaced } from '../support/attacks.ts'
import { deniedParts } from '../support/decision.ts'
import { opening } from '../support/forged-logs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { workerAttacks } from '../support/worker-attacks.ts'
import { decisionIds, publicKeyOf, segmentsOf, writeLog } from '../support/written-log.ts'

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

  for (const { name, change } of added) {
    it(`signs nothing of it when a process starts after somebody added ${name}`, async () => {
      const directory = copyOf(genuine)
      await change(directory)
      await writeLog(directory, ['next'], at(5))
      const found = await believedIn([directory], [publicKeyOf(genuine)])
      expect(without(found, [...believed, 'next deny'])).to.deep.equal([])
      // An empty log says nothing, and now another has come after it.
      const isHarmless = name.startsWith('an empty log')
      expect((await complaintsOf([directory], genuine)).length > 0).to.equal(!isHarmless)
    })
  }

  it('vouches for no log that lay there before the first process started', async () => {
    const directory = join(temporaryDirectory(), 'audit')
    mkdirSync(directory)
    for (const lines of [forgedLine('a'), formatMetaLine(opening('replica-7')) + forgedLine('a')]) {
      writeFileSync(join(directory, 'replica-7-000000.ndjson'), lines)
      await writeLog(directory, ['next'], at(5))
      expect(await believedIn([directory])).to.deep.equal(['next deny'])
      expect((await complaintsOf([directory])).join()).to.match(
        /replica-7-000000\.ndjson.* (is signed by nobody|begins no segment)/,
      )
      for (const file of segmentsOf(directory)) rmSync(file)
    }
  })

  it('reads all that is genuine beside what was added', async () => {
    // A segment behind a symbolic link is not read, though it is genuine.
    for (const { name, change } of added.filter((attack) => !attack.name.endsWith('in place of a segment'))) {
      const directory = copyOf(genuine)
      await change(directory)
      const found = await believedIn([directory], [publicKeyOf(genuine)])
      expect(without(believed, found), name).to.deep.equal([])
    }
  })
})

describe('audit, attacked while it is written', () => {
  const line = forgedLine('d-0001')
  const injections: readonly { readonly name: string; readonly inject: (file: string) => void }[] = [
    { name: 'a record', inject: (file) => appendFileSync(file, line) },
    { name: 'the beginning of a line', inject: (file) => appendFileSync(file, line.slice(0, 99)) },
    { name: 'a thousand records', inject: (file) => appendFileSync(file, line.repeat(1000)) },
    { name: 'blank lines', inject: (file) => appendFileSync(file, '\n\n  \n') },
  ]
  for (const maxSegmentBytes of [12_000, 1_000_000]) {
    for (const { name, inject } of injections) {
      it(`reads nothing that was put among its records: ${name}, in segments of ${maxSegmentBytes}`, async () => {
        const directory = join(temporaryDirectory(), 'audit')
        const ids = decisionIds(40)
        await using log = openAuditLog({
          ...{ directory, mode: 'written', stdout: false, origin: 'replica', report: () => {} },
          ...{ maxSegmentBytes, sealEvery: 4, reserveBytes: 0 },
        })
        for (const [index, id] of ids.entries()) {
          await log.append(deniedParts(id))
          if (index === 17) inject(segmentsOf(directory).at(-1) ?? '')
        }
        await log[Symbol.asyncDispose]()
        const found = await believedIn([directory])
        const wanted = ids.map((id) => `${id} deny`)
        expect(without(found, wanted)).to.deep.equal([])
        // The line that was begun swallows the next one.
        expect(without(wanted, found)).to.have.length(name.startsWith('the beginning') ? 1 : 0)
        // Blank lines say nothing. They show where the length of a segment is on record.
        const isShown = name !== 'blank lines' || maxSegmentBytes === 12_000
        expect(await complaintsOf([directory])).to.have.length(isShown ? 1 : 0)
      })
    }
  }
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

/** Returns the elements that the first list has more often than the second, each as many times as the difference. */
function without(one: readonly string[], other: readonly string[]): readonly string[] {
  const left = [...other]
  return one.filter((each) => {
    const index = left.indexOf(each)
    if (index !== -1) left.splice(index, 1)
    return index === -1
  })
}

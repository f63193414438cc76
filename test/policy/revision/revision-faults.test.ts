import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { candidateEntry } from '../../../src/authoring/tests/candidate-entry.ts'
import type { Event } from '../../../src/base/model/event.ts'
import { openRevisionSource } from '../../../src/policy/revision/revision-source.ts'
import type { Unusable } from '../../../src/policy/source/policy-source.ts'
import { policyFiles } from '../../support/policy-files.ts'
import { createScript, found } from '../../support/scripted-source.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const failed: Unusable = { kind: 'failed', problems: [{ file: 'script', message: 'EIO' }] }
const refused: Unusable = {
  kind: 'refused',
  problems: [{ file: 'script', message: 'history was rewritten' }],
}
const stricter = policyFiles({ 'team/b.cedar': 'forbid (principal, action, resource);\n' })

describe('policy/revision/revision-source, when a step fails', function () {
  // Each proof is a thread that begins anew.
  this.timeout(60_000)
  let script: ReturnType<typeof createScript>
  let events: Event[]
  let nowMs: number
  beforeEach(() => {
    script = createScript()
    events = []
    nowMs = 1_000_000
  })
  const open = (overlay: { readonly prover?: URL; readonly keep?: () => Promise<void> } = {}) =>
    openRevisionSource({
      source: script,
      load: {},
      prover: candidateEntry,
      runsTests: true,
      maxStalenessMs: undefined,
      keep: async () => {},
      onServed: () => {},
      report: (event) => events.push(event),
      nowMs: () => nowMs,
      ...overlay,
    })
  const kinds = (prefix: string) => events.map(({ kind }) => kind).filter((kind) => kind.startsWith(prefix))

  it('serves the last good revision on, pin and all, while the source fails, and then what it says', async () => {
    script.says = found(policyFiles(), { pinned: policyFiles().id })
    await using source = await open()
    script.says = failed
    await source.refresh()
    await source.refresh()
    expect([source.current?.id, source.pinned]).to.deep.equal([policyFiles().id, policyFiles().id])
    expect(source.standing).to.deep.equal([{ kind: 'failed', problems: ['script: EIO'], sinceMs: nowMs }])
    expect(source.confirmedAtMs).to.equal(nowMs)
    script.says = found(stricter)
    await source.refresh()
    expect([source.current?.id, source.pinned, source.standing]).to.deep.equal([stricter.id, undefined, []])
    expect(kinds('source_')).to.deep.equal(['source_failed', 'source_failed', 'source_recovered'])
    expect(kinds('revision_refused')).to.deep.equal([])
  })

  it('tells what is refused from what failed, and forgets the latter alone', async () => {
    script.says = found(policyFiles())
    await using source = await open()
    script.says = refused
    await source.refresh()
    script.says = failed
    await source.refresh()
    expect(source.standing.map(({ kind }) => kind)).to.deep.equal(['failed', 'refused'])
    script.says = refused
    await source.refresh()
    expect(source.standing.map(({ kind }) => kind)).to.deep.equal(['refused'])
    expect(kinds('revision_refused')).to.have.length(1)
  })

  it('recalls at a later look what could not be recalled at the start', async () => {
    script.recalls = { found: failed, confirmedAtMs: 0 }
    await using source = await open()
    expect(source.current).to.equal(undefined)
    expect(source.problems.join()).to.contain('what served last: script: EIO')
    script.recalls = { found: found(policyFiles(), { pinned: policyFiles().id }), confirmedAtMs: 400_000 }
    await source.refresh()
    expect([source.current?.id, source.pinned]).to.deep.equal([policyFiles().id, policyFiles().id])
    expect(source.confirmedAtMs).to.equal(400_000)
    expect(source.problems.join()).to.contain('nobody answers')
  })

  it('does not ask again for what was recalled and refused, and shows it while nothing else serves', async () => {
    let recalls = 0
    script.recall = async () => {
      recalls++
      return { found: refused, confirmedAtMs: 1 }
    }
    await using source = await open()
    await source.refresh()
    await source.refresh()
    expect([recalls, source.current]).to.deep.equal([1, undefined])
    expect(source.problems.join()).to.contain('history was rewritten').and.to.contain('nobody answers')
    script.says = found(policyFiles())
    await source.refresh()
    expect([source.current?.id, source.problems]).to.deep.equal([policyFiles().id, []])
  })

  it('serves what could not be remembered for the next start, says so, and remembers it at the next look', async () => {
    script.says = found(policyFiles())
    const accepted: string[] = []
    let isFull = true
    script.accept = async ({ files }) => {
      if (isFull) throw new RangeError('not kept', { cause: new Error('ENOSPC') })
      accepted.push(files.id)
    }
    await using source = await open()
    expect(source.current?.id).to.equal(policyFiles().id)
    expect(source.problems).to.deep.equal(['script: not kept: ENOSPC'])
    isFull = false
    await source.refresh()
    expect([accepted, source.problems]).to.deep.equal([[policyFiles().id], []])
  })

  it('proves a candidate again whose thread could not be started, or died', async () => {
    const prover = join(temporaryDirectory(), 'prover.mjs')
    script.says = found(policyFiles())
    await using source = await open({ prover: pathToFileURL(prover) })
    expect(source.current?.id).to.equal(policyFiles().id)
    script.says = found(stricter)
    for (const text of [undefined, 'process.exit(3)', 'throw new Error("no memory")']) {
      if (text !== undefined) writeFileSync(prover, text)
      await source.refresh()
      expect(source.current?.id).to.equal(policyFiles().id)
      expect(source.standing.map(({ kind }) => kind)).to.deep.equal(['failed'])
    }
    const answer = "{ kind: 'refused', problems: [{ file: 'a', message: 'b' }] }"
    writeFileSync(
      prover,
      `import { parentPort } from 'node:worker_threads'; parentPort.postMessage(${answer})`,
    )
    await source.refresh()
    expect(source.standing.map(({ kind }) => kind)).to.deep.equal(['refused'])
    writeFileSync(prover, 'throw new Error("asked again")')
    await source.refresh()
    expect(source.problems).to.deep.equal(['a: b'])
  })

  it('serves what could not be kept at the next look', async () => {
    let isFull = true
    script.says = found(policyFiles())
    await using source = await open({
      keep: () => (isFull ? Promise.reject(new RangeError('not kept')) : Promise.resolve()),
    })
    expect(source.standing.map(({ kind }) => kind)).to.deep.equal(['failed'])
    isFull = false
    await source.refresh()
    expect([source.current?.id, source.standing]).to.deep.equal([policyFiles().id, []])
  })
})

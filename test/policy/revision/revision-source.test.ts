import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { candidateEntry } from '../../../src/authoring/tests/candidate-entry.ts'
import type { Event } from '../../../src/base/model/event.ts'
import { invalid } from '../../../src/base/model/invalid.ts'
import { openRevisionSource } from '../../../src/policy/revision/revision-source.ts'
import { createDirectorySource } from '../../../src/policy/source/followed-directory.ts'
import { hostileFiles } from '../../support/hostile-files.ts'
import { policyFiles } from '../../support/policy-files.ts'
import { copyPolicies } from '../../support/sample-policies.ts'
import { createScript, found } from '../../support/scripted-source.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

async function open(directory: string, keep: () => Promise<void> = async () => {}) {
  const events: Event[] = []
  const source = await openRevisionSource({
    source: createDirectorySource(directory, 3_600_000, async () => invalid('nothing is kept')),
    load: {},
    prover: candidateEntry,
    runsTests: true,
    maxStalenessMs: undefined,
    keep,
    onServed: () => {},
    report: (event) => events.push(event),
    nowMs: Date.now,
  })
  return {
    source,
    kinds: () => events.map(({ kind }) => kind).filter((kind) => kind !== 'revision_confirmed'),
  }
}

describe('policy/revision/revision-source', () => {
  let directory = ''
  const policy = () => join(directory, 'records-team/patient-records.cedar')
  beforeEach(async () => {
    directory = temporaryDirectory()
    copyPolicies(directory)
  })

  it('serves a directory, and what it becomes', async () => {
    const { source, kinds } = await open(directory)
    const first = source.current?.id
    await rm(policy())
    await source.refresh()
    expect(source.current?.id).to.be.a('string').and.not.equal(first)
    expect(kinds()).to.deep.equal(['revision_served', 'revision_served'])
    await source[Symbol.asyncDispose]()
  })

  for (const name of ['a record 3,000 deep', '10,000 types in a circle', 'a list 20,000 deep']) {
    it(`refuses ${name} by file and line, serves on, and takes the next good revision`, async () => {
      const hostile = hostileFiles.find((each) => each.name === name)
      if (hostile === undefined) throw new TypeError(`there is no ${name}`)
      const { source, kinds } = await open(directory)
      const first = source.current?.id
      const path = join(directory, hostile.file)
      const good = await readFile(path)
      await writeFile(path, hostile.text)
      await source.refresh()
      expect(source.current?.id).to.equal(first)
      expect(source.problems[0]).to.match(new RegExp(`^${hostile.file}:${hostile.line}:\\d+: .*at most \\d+`))
      await writeFile(path, `${good}\n`)
      await source.refresh()
      expect(source.problems).to.deep.equal([])
      expect(source.current?.id).to.not.equal(first)
      expect(kinds()).to.deep.equal(['revision_served', 'revision_refused', 'revision_served'])
      await source[Symbol.asyncDispose]()
    })
  }

  it('serves the last good revision on while the directory is broken, and says so once', async () => {
    const { source, kinds } = await open(directory)
    const first = source.current?.id
    await writeFile(policy(), 'permit (')
    await source.refresh()
    await source.refresh()
    expect(source.current?.id).to.equal(first)
    expect(source.problems).to.have.length(1)
    expect(kinds()).to.deep.equal(['revision_served', 'revision_refused'])
    await source[Symbol.asyncDispose]()
  })

  it('serves nothing from a directory that never loaded, until it does', async () => {
    await writeFile(policy(), 'permit (')
    const { source } = await open(directory)
    expect(source.current).to.equal(undefined)
    copyPolicies(directory)
    await source.refresh()
    expect(source.current).to.have.property('id')
    expect(source.problems).to.deep.equal([])
    await source[Symbol.asyncDispose]()
  })

  it('serves again what was good before, when a broken change is taken back', async () => {
    const { source } = await open(directory)
    const first = source.current?.id
    await writeFile(policy(), 'permit (')
    await source.refresh()
    copyPolicies(directory)
    await source.refresh()
    expect(source.problems).to.deep.equal([])
    expect(source.current?.id).to.equal(first)
    await source[Symbol.asyncDispose]()
  })

  it('does not serve what cannot be kept for judging again, and tries anew', async () => {
    let isFull = true
    const { source } = await open(directory, () =>
      isFull ? Promise.reject(new RangeError('full')) : Promise.resolve(),
    )
    expect(source.current).to.equal(undefined)
    isFull = false
    await source.refresh()
    expect(source.current).to.have.property('id')
    await source[Symbol.asyncDispose]()
  })

  it('reads nothing anew when the source is pinned to what serves, and nothing of a pin that cannot be followed', async () => {
    const { source, kinds } = await open(directory)
    const first = source.current?.id
    await writeFile(join(directory, 'PIN'), 'f'.repeat(32))
    await source.refresh()
    expect(source.current?.id).to.equal(first)
    expect(kinds()).to.deep.equal(['revision_served', 'revision_refused'])
    await source[Symbol.asyncDispose]()
  })
})

describe('policy/revision/revision-source, from any source', () => {
  let script: ReturnType<typeof createScript>
  let nowMs = 0
  const events: Event[] = []
  beforeEach(() => {
    script = createScript()
    nowMs = 1_000_000
    events.length = 0
  })
  const openScript = (maxStalenessMs?: number) =>
    openRevisionSource({
      source: script,
      load: {},
      prover: candidateEntry,
      runsTests: true,
      maxStalenessMs,
      keep: async () => {},
      onServed: () => {},
      report: (event) => events.push(event),
      nowMs: () => nowMs,
    })

  it('serves what was last good though nobody answers, with the age that it has', async () => {
    script.recalls = { found: found(policyFiles()), confirmedAtMs: 400_000 }
    await using source = await openScript()
    await source.refresh()
    expect(source.current?.id).to.equal(policyFiles().id)
    expect(source.confirmedAtMs).to.equal(400_000)
    expect(source.problems).to.have.length(1)
    expect(events.filter((event) => event.kind === 'source_failed' && event.isNew)).to.have.length(1)
  })

  it('serves nothing any more when it has been silent for too long, and again when it speaks', async () => {
    script.says = found(policyFiles())
    await using source = await openScript(60_000)
    script.says = createScript().says
    nowMs += 60_000
    await source.refresh()
    expect([source.current?.id, source.isStale]).to.deep.equal([policyFiles().id, false])
    nowMs += 1
    expect([source.current, source.isStale]).to.deep.equal([undefined, true])
    script.says = found(policyFiles())
    await source.refresh()
    expect(source.current?.id).to.equal(policyFiles().id)
  })

  it('does not take a restart for news', async () => {
    script.recalls = { found: found(policyFiles()), confirmedAtMs: nowMs - 60_001 }
    await using source = await openScript(60_000)
    expect(source.current).to.equal(undefined)
  })

  it('counts what it refuses as silence: what serves is no longer what its authors want', async () => {
    script.says = found(policyFiles())
    await using source = await openScript(60_000)
    script.says = found(policyFiles({ 'team/a.cedar': 'permit (' }))
    nowMs += 60_001
    await source.refresh()
    expect(source.current).to.equal(undefined)
  })

  it('says once that it is pinned, and once that it no longer is', async () => {
    script.says = found(policyFiles(), { pinned: policyFiles().id })
    await using source = await openScript()
    await source.refresh()
    expect(source.pinned).to.equal(policyFiles().id)
    expect(source.notices).to.have.length(1)
    script.says = found(policyFiles())
    await source.refresh()
    expect([source.pinned, source.notices]).to.deep.equal([undefined, []])
    const notices = events.flatMap((event) => (event.kind === 'policy_notices' ? [event.notices.length] : []))
    expect(notices).to.deep.equal([1, 0])
  })

  it('swaps one whole revision for another: a reader meanwhile sees either', async () => {
    script.says = found(policyFiles())
    await using source = await openScript()
    const second = policyFiles({ 'team/b.cedar': 'forbid (principal, action, resource);\n' })
    script.says = found(second)
    const seen = new Set<string>()
    const look = setInterval(() => {
      const { current } = source
      seen.add(`${current?.id} ${current?.policies.length} ${current?.files.size}`)
    }, 1)
    await source.refresh()
    clearInterval(look)
    seen.add(`${source.current?.id} ${source.current?.policies.length} ${source.current?.files.size}`)
    expect([...seen]).to.deep.equal([`${policyFiles().id} 1 3`, `${second.id} 2 4`])
  })

  it('closes while it follows', async () => {
    script.says = found(policyFiles())
    const source = await openScript()
    const asked = source.refresh()
    await source[Symbol.asyncDispose]()
    await asked
    expect(source.current?.id).to.equal(policyFiles().id)
  })
})

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createGitSource } from '../../../src/policy/source/git-source.ts'
import { type GitState, readState, writeState } from '../../../src/policy/source/git-state.ts'
import { errnos, failCallsUnder } from '../../support/failing-calls.ts'
import { createFailingGit } from '../../support/failing-git.ts'
import { follow, followRemote } from '../../support/git-remote.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const state: GitState = {
  version: 1,
  origin: 'here',
  confirmedAtMs: 7,
  serving: 'a',
  isPinned: true,
  accepted: 'b',
}

describe('policy/source/git-state', () => {
  it('gives back what was written, to who asks about the same origin', async () => {
    const directory = temporaryDirectory()
    expect(await readState(directory, 'here')).to.equal(undefined)
    await writeState(directory, state)
    expect(await readState(directory, 'here')).to.deep.equal(state)
    expect(await readState(directory, 'elsewhere')).to.equal(undefined)
  })

  it('takes a state that cannot be read, or is broken, for a fault', async () => {
    const directory = temporaryDirectory()
    const path = join(directory, 'waywarden.json')
    await writeState(directory, state)
    const whole = readFileSync(path, 'utf8')
    for (const text of ['', whole.slice(0, 20), '{}', whole.replace('1', '2')]) {
      writeFileSync(path, text)
      expect(await readState(directory, 'here'), text).to.have.property('kind', 'fault')
    }
    using failing = failCallsUnder(directory)
    for (const code of errnos) {
      failing.arm(1, code)
      expect(await readState(directory, 'here'))
        .to.have.property('reason')
        .that.contains(code)
    }
  })

  it('replaces a state whole, or leaves it as it was', async () => {
    const directory = temporaryDirectory()
    await writeState(directory, state)
    using failing = failCallsUnder(directory)
    failing.arm()
    await writeState(directory, state)
    for (const at of failing.calls().keys()) {
      failing.arm(at + 1, 'ENOSPC')
      const failure: unknown = await writeState(directory, { ...state, accepted: 'c' }).catch(
        (cause: unknown) => cause,
      )
      expect(failure).to.have.property('code', 'last_good_not_kept')
      expect(await readState(directory, 'here')).to.deep.equal(state)
    }
    expect(readdirSync(directory)).to.include('waywarden.json')
  })

  it('makes no first look of a source whose state is broken, or whose copy is lost', async () => {
    const { copy, remote } = await followRemote(undefined, (to) => to.commit({ 'team/b.cedar': 'x' }))
    const options = copy()
    const state = join(options.directory, 'waywarden.json')
    writeFileSync(state, readFileSync(state, 'utf8').slice(0, 20))
    const broken = createGitSource(options)
    expect((await broken.recall())?.found.kind).to.equal('failed')
    expect((await broken.look()).kind).to.equal('failed')
    const whole = copy()
    const running = createGitSource(whole)
    await follow(running)
    remote.commit({ 'team/b.cedar': 'evil' }, '--amend')
    rmSync(whole.directory, { recursive: true })
    expect((await running.look()).kind).to.equal('failed')
  })

  it('goes by the refs of a state that an earlier version wrote', async () => {
    const { copy } = await followRemote(undefined, (remote) =>
      remote.commit({ 'team/a.cedar': 'evil' }, '--amend'),
    )
    const git = createFailingGit()
    const options = copy()
    const state = join(options.directory, 'waywarden.json')
    const { origin, confirmedAtMs } = JSON.parse(readFileSync(state, 'utf8'))
    writeFileSync(state, JSON.stringify({ version: 1, origin, confirmedAtMs }))
    const source = createGitSource(options, git.program)
    expect((await source.recall())?.found.kind).to.equal('found')
    git.arm()
    expect((await source.look()).kind).to.equal('refused')
    const calls = git.calls()
    for (const at of calls.keys()) {
      git.arm(at + 1, 'exit code 1, without a word')
      expect((await createGitSource(options, git.program).look()).kind, calls[at]).to.not.equal('found')
    }
  })
})

import { expect } from 'chai'
import { pinInGit, releaseInGit } from '../../../src/policy/source/git-pin.ts'
import { createFailingGit, type FailingGit } from '../../support/failing-git.ts'
import { createRemote, gitOptions, smallRepository } from '../../support/git-remote.ts'

const pinRef = 'refs/waywarden/pin'

describe('policy/source/git-pin, when a call to git fails', function () {
  // Hundreds of processes, on a machine that may be busy.
  this.timeout(300_000)
  let git: FailingGit
  before(() => {
    git = createFailingGit()
  })

  it('pins and releases nothing when a call fails, and does it at the next try', async () => {
    const remote = createRemote(smallRepository)
    const [first, second] = [remote.git('rev-parse', 'HEAD'), remote.commit({ 'team/b.cedar': 'x' })]
    const third = remote.commit({ 'team/c.cedar': 'x' })
    const options = gitOptions(remote)
    const pin = () => remote.git('for-each-ref', '--format=%(objectname)', pinRef)
    const set = () => pinInGit(options, undefined, () => [], git.program)
    const release = () => releaseInGit(options, git.program)
    for (const [act, before, wanted] of [
      [set, second, first],
      // A commit that cannot be read is not passed over for an earlier one.
      [set, third, second],
      [release, first, ''],
    ] as const) {
      remote.git('update-ref', pinRef, before)
      git.arm()
      expect((await act()).kind).to.not.equal('invalid')
      const calls = git.calls()
      for (const at of calls.keys()) {
        remote.git('update-ref', pinRef, before)
        git.arm(at + 1, 'exit code 1, without a word')
        expect((await act()).kind, calls[at]).to.equal('invalid')
        expect(pin()).to.equal(before)
        expect((await act()).kind).to.not.equal('invalid')
        expect(pin()).to.equal(wanted)
      }
    }
  })
})

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createGitSource } from '../../src/policy/source/git-source.ts'
import type { Found, PolicySource } from '../../src/policy/source/policy-source.ts'
import { errnos, failCallsUnder } from '../support/failing-calls.ts'
import { createFailingGit, endings, type FailingGit } from '../support/failing-git.ts'
import {
  createRemote,
  follow,
  followRemote,
  type GitRemote,
  gitOptions,
  smallRepository,
} from '../support/git-remote.ts'

/** A change of a followed remote, and the result of a poll without faults. */
type Change = {
  readonly name: string
  readonly prepare?: (remote: GitRemote, first: string) => unknown
  readonly change: (remote: GitRemote, first: string) => unknown
  readonly says: 'found' | 'refused'
}

type Ending = keyof typeof endings

const pinRef = 'refs/waywarden/pin'
const changes: readonly Change[] = [
  {
    name: 'a forbid that is pushed',
    change: (remote) => remote.commit({ 'team/b.cedar': 'forbid (principal, action, resource);\n' }),
    says: 'found',
  },
  {
    name: 'a pin that is set',
    change: (remote, first) => remote.git('update-ref', pinRef, first),
    says: 'found',
  },
  {
    name: 'a forbid that is pushed behind a pin',
    prepare: (remote, first) => remote.git('update-ref', pinRef, first),
    change: (remote) => remote.commit({ 'team/b.cedar': 'forbid (principal, action, resource);\n' }),
    says: 'found',
  },
  {
    name: 'a pin that is released',
    prepare: (remote, first) => remote.git('update-ref', pinRef, first),
    change: (remote) => remote.git('update-ref', '-d', pinRef),
    says: 'found',
  },
  {
    name: 'a force-push',
    change: (remote) => remote.commit({ 'team/a.cedar': 'evil' }, '--amend'),
    says: 'refused',
  },
]

describe('policy/source/git-source, when a call to git fails', function () {
  // Hundreds of processes, on a machine that may be busy.
  this.timeout(300_000)
  let git: FailingGit
  before(() => {
    git = createFailingGit()
  })

  for (const [index, { name, prepare, change, says }] of changes.entries()) {
    it(`says of ${name} at the next look what a clean look says, after any failure, and nothing else before`, async () => {
      const { options, copy } = await followRemote(prepare, change)
      git.arm()
      const clean = createGitSource(copy(), git.program)
      await clean.recall()
      const wanted = toPlain(await clean.look())
      expect(wanted.kind).to.equal(says)
      const calls = git.calls()
      expect(calls.length).to.be.greaterThan(5)
      let failures = 0
      for (const [at, ending] of placesOf(calls.length, says, index)) {
        const source = createGitSource(copy(), git.program)
        git.arm(at + 1, ending)
        await source.recall()
        const look = toPlain(await source.look())
        const where = `${ending}: ${calls[at]?.replace(options.directory, '')}`
        if (look.kind === 'failed') failures++
        else expect(look, where).to.deep.equal(wanted)
        expect(toPlain(await source.look()), where).to.deep.equal(wanted)
      }
      expect(failures).to.be.at.least(calls.length / 2)
    })
  }

  it('keeps what was accepted though any call fails while it is remembered, so that a force-push stays refused', async () => {
    const { copy, remote } = await followRemote(undefined, (to) => to.commit({ 'team/b.cedar': 'x' }))
    const head = remote.git('rev-parse', 'HEAD')
    const source = createGitSource(copy(), git.program)
    const found = await source.look()
    if (found.kind !== 'found') throw new TypeError(JSON.stringify(found))
    git.arm()
    await source.accept(found, 1)
    const calls = git.calls()
    remote.commit({ 'team/b.cedar': 'evil' }, '--amend')
    const evil = remote.git('rev-parse', 'HEAD')
    for (const at of calls.keys()) {
      remote.git('reset', '--quiet', '--hard', head)
      const options = copy()
      const running = createGitSource(options, git.program)
      const next = await running.look()
      if (next.kind !== 'found') throw new TypeError(JSON.stringify(next))
      git.arm(at + 1, 'exit code 1, without a word')
      expect(await running.accept(next, 2).catch((cause: unknown) => cause)).to.have.property(
        'code',
        'last_good_not_kept',
      )
      remote.git('reset', '--quiet', '--hard', evil)
      expect(toPlain(await running.look())).to.have.property('kind', 'refused')
      remote.git('reset', '--quiet', '--hard', head)
      await follow(running)
      remote.git('reset', '--quiet', '--hard', evil)
      for (const each of [running, createGitSource(options, git.program)])
        expect(toPlain(await each.look())).to.have.property('kind', 'refused')
    }
  })

  it('recalls what served, and its pin, at the next try', async () => {
    const { copy, first } = await followRemote(
      (remote, commit) => remote.git('update-ref', pinRef, commit),
      (remote) => rmSync(remote.directory, { recursive: true }),
    )
    git.arm()
    const clean = await createGitSource(copy(), git.program).recall()
    expect(clean?.found).to.include({ kind: 'found', pinned: first })
    const calls = git.calls()
    for (const at of calls.keys()) {
      const source = createGitSource(copy(), git.program)
      git.arm(at + 1, 'exit code 1, without a word')
      expect((await source.recall())?.found.kind, calls[at]).to.equal('failed')
      expect(await source.recall()).to.deep.equal(clean)
    }
  })

  it('refuses a pin that names no commit, and takes it for no release', async () => {
    const remote = createRemote(smallRepository)
    const source = createGitSource(gitOptions(remote), git.program)
    await follow(source)
    const [tree, blob] = ['HEAD^{tree}', 'HEAD:team/a.cedar'].map((name) => remote.git('rev-parse', name))
    remote.git('tag', '-a', '-m', 'a tree', 'of-a-tree', tree ?? '')
    for (const target of [tree, blob, remote.git('rev-parse', 'of-a-tree')]) {
      remote.git('update-ref', pinRef, target ?? '')
      expect(toPlain(await source.look())).to.deep.include({ kind: 'refused', files: [pinRef] })
    }
    remote.git('tag', '-a', '-m', 'a commit', 'of-a-commit', 'HEAD')
    remote.git('update-ref', pinRef, remote.git('rev-parse', 'of-a-commit'))
    expect(toPlain(await source.look())).to.deep.include({
      kind: 'found',
      pinned: remote.git('rev-parse', 'HEAD'),
    })
    const lost = 'f'.repeat(40)
    writeFileSync(join(remote.directory, '.git', pinRef), `${lost}\n`)
    expect((await source.look()).kind).to.equal('failed')
  })

  it('finds the same whichever system call on the local copy fails', async () => {
    const { copy } = await followRemote(undefined, (remote) =>
      remote.commit({ 'team/a.cedar': 'evil' }, '--amend'),
    )
    const wanted = toPlain(await createGitSource(copy()).look())
    expect(wanted.kind).to.equal('refused')
    const options = copy()
    using failing = failCallsUnder(options.directory)
    failing.arm()
    await createGitSource(options).look()
    const isOurs = (call: string) => !/ .*\/(?:objects|refs)\b/.test(call)
    const calls = failing.calls()
    const places = [...calls.keys()].filter((at) => isOurs(calls[at] ?? ''))
    expect(places.length).to.be.greaterThan(3)
    for (const [index, at] of places.entries()) {
      const source = createGitSource(options)
      failing.arm(at + 1, errnos[index % errnos.length])
      const look = toPlain(await source.look())
      // The size of the copy is also taken while git fetches, where a failure counts for nothing.
      if (look.kind !== 'failed') expect(look, calls[at]).to.deep.equal(wanted)
      expect(toPlain(await source.look())).to.deep.equal(wanted)
    }
  })
})

/** Where calls fail, and how: in every way where a look must refuse, else each in the next way from change to change. */
function placesOf(
  calls: number,
  says: Change['says'],
  index: number,
): readonly (readonly [number, Ending])[] {
  const all = Object.keys(endings) as Ending[]
  return Array.from({ length: calls }, (_, at) => at).flatMap((at) =>
    all.flatMap((ending, way) =>
      says === 'refused' || (at + index) % all.length === way ? [[at, ending] as const] : [],
    ),
  )
}

function toPlain(look: Awaited<ReturnType<PolicySource['look']>>) {
  if (look.kind !== 'found') return { kind: look.kind, files: look.problems.map(({ file }) => file) }
  const { pinned, files }: Found = look
  return { kind: look.kind, pinned, id: files.id, files: Object.fromEntries(files.files) }
}

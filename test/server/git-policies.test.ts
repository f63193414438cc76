import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import { createRemote, type GitRemote, gitOptions, samplePolicies } from '../support/git-remote.ts'
import { uris } from '../support/hospital.ts'
import { startTestApp } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

describe('app/git-policies', () => {
  let remote: GitRemote
  let directory = ''
  beforeEach(() => {
    remote = createRemote(samplePolicies())
    directory = temporaryDirectory()
  })
  const start = (maxStalenessMs?: number, intervalMs = 3_600_000) => {
    const git = gitOptions(remote, { directory: join(directory, 'copy'), intervalMs })
    return startTestApp(directory, (config) => ({
      ...config,
      policy: { ...config.policy, directory: undefined, git, maxStalenessMs },
    }))
  }
  const readyz = async ({ app }: Awaited<ReturnType<typeof start>>) =>
    (await fetch(`http://${app.addresses.admin}/readyz`)).json() as Promise<Readyz>
  type Readyz = {
    readonly ready: boolean
    readonly reasons: readonly string[]
    readonly notices: readonly string[]
    readonly policy: { readonly revision?: string; readonly pinned?: string; readonly lastError?: string }
  }

  it('decides by a commit, starts again without the remote, and says how it stands', async () => {
    const commit = remote.git('rev-parse', 'HEAD')
    {
      await using running = await start()
      expect(await readyz(running)).to.deep.include({ ready: true, notices: [] })
      await running.ask({})
    }
    rmSync(remote.directory, { recursive: true })
    await using running = await start(undefined, 50)
    const { ready, policy } = await readyz(running)
    expect([ready, policy.revision]).to.deep.equal([true, commit])
    const records = readdirSync(join(directory, 'audit'), { recursive: true, encoding: 'utf8' })
    expect(records).to.include(`revisions/${commit}.json`)
    await until(async () => (await readyz(running)).policy.lastError !== undefined)
  })

  it('refuses everything when its source has been silent for longer than it may be', async () => {
    await using running = await start(500, 50)
    expect((await readyz(running)).ready).to.equal(true)
    rmSync(remote.directory, { recursive: true })
    await until(async () => !(await readyz(running)).ready)
    const answer = await running.ask({})
    expect(JSON.stringify(answer)).to.contain('policy_unavailable')
  })

  it('serves no commit that fails its own tests, says so everywhere, and serves the one that mends them', async () => {
    // Three threads prove three candidates.
    await using running = await start(undefined, 50)
    const first = (await readyz(running)).policy.revision
    const failing = remote.commit({ 'tests/insurance.yaml': insuranceTest('deny') })
    await until(async () => (await readyz(running)).policy.lastError !== undefined)
    const { ready, policy, notices } = await readyz(running)
    expect([ready, policy.revision]).to.deep.equal([true, first])
    expect(policy.lastError).to.match(
      /^tests\/insurance\.yaml:2: test `insurance`: .*expected deny, found allow/,
    )
    expect(notices.join()).to.contain('tests/insurance.yaml:2')
    const metrics = await (await fetch(`http://${running.app.addresses.admin}/metrics`)).text()
    expect(metrics).to.match(/^waywarden_reloads_refused_total\{what="revision"\} 1$/m)
    const mended = remote.commit({ 'tests/insurance.yaml': insuranceTest('allow') })
    await until(async () => (await readyz(running)).policy.revision === mended)
    await until(async () => (await readyz(running)).notices.length === 0)
    remote.git('update-ref', 'refs/waywarden/pin', failing)
    await until(async () => (await readyz(running)).policy.lastError !== undefined)
    expect((await readyz(running)).policy.revision).to.equal(mended)
  })

  it('shows a pin everywhere until it is released', async () => {
    const first = remote.git('rev-parse', 'HEAD')
    remote.commit({ 'billing-team/empty.cedar': '// nothing\n' })
    remote.git('update-ref', 'refs/waywarden/pin', first)
    await using running = await start(undefined, 50)
    const { policy, notices } = await readyz(running)
    expect([policy.revision, policy.pinned]).to.deep.equal([first, first])
    expect(notices.join()).to.contain(first.slice(0, 12))
    const metrics = await (await fetch(`http://${running.app.addresses.admin}/metrics`)).text()
    expect(metrics).to.match(/^waywarden_policy_pinned 1$/m)
    expect(metrics).to.match(/^waywarden_policy_confirmed_timestamp_seconds \d{10}/m)
    remote.git('update-ref', '-d', 'refs/waywarden/pin')
    await until(async () => (await readyz(running)).policy.pinned === undefined)
  })
})

/** One test, on line 2: the billing agents ask whether the clerk's patient is covered. */
function insuranceTest(decision: 'allow' | 'deny'): string {
  const chain = `{subject: hospital/clerk, groups: [billing], actors: ['${uris.agentA}']}`
  const request = '{service: insurance, method: GET, path: /coverage/p-1}'
  return `tests:\n- {name: insurance, caller: '${uris.agentD}', chain: ${chain}, request: ${request}, expect: {decision: ${decision}}}\n`
}

/** Waits for what a look at the source brings; mocha's own limit ends it. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await wait(20)
}

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { isProblems } from '../../src/base/model/problems.ts'
import { parseConfig } from '../../src/config/config.ts'
import { decide } from '../../src/server/deciding.ts'
import { createRemote, gitOptions, samplePolicies } from '../support/git-remote.ts'
import { writeTestFiles } from '../support/running-app.ts'
import { settings } from '../support/settings.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

describe('server/deciding', () => {
  it('lets two workers share a configuration: neither writes where the other does', async () => {
    // Two threads prove a candidate.
    const directory = temporaryDirectory()
    await writeTestFiles(directory)
    const parsed = parseConfig(join(directory, 'waywarden.yaml'), settings, new Map())
    if (isProblems(parsed)) throw new TypeError(JSON.stringify(parsed.problems))
    const remote = createRemote(samplePolicies())
    const git = gitOptions(remote, { directory: join(directory, 'copy') })
    const config = { ...parsed, workers: 2, policy: { ...parsed.policy, directory: undefined, git } }
    const start = (number: number) => decide(config, { worker: { number, socketsFor: () => () => {} } })
    await using one = await start(1)
    await using other = await start(2)
    const commit = remote.git('rev-parse', 'HEAD')
    for (const { shown } of [one, other]) {
      const { ready, policy } = shown.readiness()
      expect({ ready, revision: policy?.revision }).to.deep.equal({ ready: true, revision: commit })
    }
    expect(readdirSync(directory)).to.include.members(['copy.worker-1', 'copy.worker-2'])
    expect(existsSync(join(directory, 'copy'))).to.equal(false)
    const audit = readdirSync(join(directory, 'audit'), { recursive: true, encoding: 'utf8' })
    expect(audit).to.include.members(['worker-1/log-key.pub', 'worker-2/log-key.pub', 'log-key'])
    expect(audit).to.include(`revisions/${commit}.json`)
    expect(await one.shown.metricsText()).to.match(/^waywarden_ready\{worker="1"\} 1$/m)
  })
})

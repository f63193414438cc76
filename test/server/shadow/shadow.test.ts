import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import type { Config } from '../../../src/config/config.ts'
import { createRemote, gitOptions } from '../../support/git-remote.ts'
import { uris } from '../../support/hospital.ts'
import { chainNow, type RunningApp, startTestApp } from '../../support/running-app.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { run } from '../../support/terminal.ts'

type Readyz = {
  readonly ready: boolean
  readonly notices: readonly string[]
  readonly policy: { readonly revision?: string }
  readonly shadow?: { readonly revision?: string; readonly lastError?: string }
}

const insurance = 'insurance-team/insurance.cedar'
const nobody = '@id("nobody") forbid (principal, action, resource in Service::"insurance");\n'
const heldByD = () => ({ 'actor-chain': chainNow() })
const whole = { sample: 1, perSecond: 10_000 }

describe('server/shadow/shadow', () => {
  it('judges by another branch what was answered, and reports what differs with its decisions', async () => {
    const directory = temporaryDirectory()
    const audit = join(directory, 'audit')
    {
      await using running = await startTestApp(directory, twoBranches(directory))
      await until(async () => (await readyz(running)).shadow?.revision !== undefined)
      for (let count = 0; count < 2; count++)
        expect((await running.ask({ headers: heldByD() })).status).to.equal(0)
      expect((await running.ask({})).body).to.include({ code: 'chain_missing' })
      await until(async () => (await metricsOf(running)).includes('shadow_checks_total{result="same"} 1'))
      const metrics = await metricsOf(running)
      const { policy, shadow } = await readyz(running)
      for (const sample of [
        'waywarden_shadow_checks_total{result="different"} 2',
        'waywarden_shadow_differences_total{live="allow",shadow="policy_denied"} 2',
        `waywarden_policy_revision_info{revision="${policy.revision}"} 1`,
        `waywarden_shadow_revision_info{revision="${shadow?.revision}"} 1`,
        'waywarden_checks_total{outcome="allow",code=""} 2',
      ])
        expect(metrics).to.contain(sample)
      expect(metrics).to.match(/^waywarden_shadow_confirmed_timestamp_seconds \d{10}/m)
    }
    const { out, code } = await run(['report', audit])
    expect(code).to.equal(0)
    expect(out).to.match(/3 checks judged again, .*: 2 differ \(66\.7 %\)/)
    expect(out).to.contain(`CLOSES insurance check-coverage for ${uris.agentD}: 2 checks`)
    expect(out).to.contain(
      `+ policy_denied by caller, delegator ${uris.agentA}, subject (${insurance}#nobody)`,
    )
    const [summary] = JSON.parse((await run(['report', audit, '--json'])).out).shadow
    const found = await run(['audit', 'find', audit, '--service', 'insurance'])
    expect(found.out).to.contain(summary.differences[0].examples[0])
    expect((await run(['audit', 'verify', audit])).code).to.equal(0)
    const diff = await run(['policy', 'diff', summary.live, summary.shadow, '--audit', audit])
    expect(diff.out).to.contain('CLOSES insurance check-coverage')
  })

  it('never touches what decides, nor what is observed, when it cannot be loaded; says when it is merged', async () => {
    const directory = temporaryDirectory()
    const beside = join(directory, 'beside')
    for (const [name, text] of Object.entries(samplePolicies())) write(join(beside, name), text)
    write(join(beside, insurance), 'permit (principal, action, resource) when { nonsense')
    const shadow = { directory: beside, git: undefined, ...whole }
    const observe = { untilMs: Date.now() + 86_400_000, services: undefined }
    await using running = await startTestApp(directory, (config) => ({
      ...config,
      policy: { ...config.policy, shadow },
      observe,
    }))
    await until(async () => (await readyz(running)).shadow?.lastError !== undefined)
    const refused = await readyz(running)
    expect([refused.ready, refused.shadow?.revision]).to.deep.equal([true, undefined])
    expect(refused.notices.join()).to.contain('the shadow revision is not followed').and.to.contain(insurance)
    expect((await running.ask({})).status).to.equal(0)
    const metrics = await metricsOf(running)
    expect(metrics).to.contain('waywarden_reloads_refused_total{what="shadow"} 1')
    expect(metrics).to.contain('waywarden_reloads_refused_total{what="revision"} 0')
    write(join(beside, insurance), readFileSync(join('policies', insurance), 'utf8'))
    await until(async () => (await readyz(running)).notices.some((text) => /decides already/.test(text)))
    expect((await running.ask({})).metadata).to.include({ outcome: 'observed', code: 'chain_missing' })
    await until(async () => (await metricsOf(running)).includes('shadow_checks_total{result="same"} 1'))
  })
})

/** The sample's repository with a branch that forbids more: one serves, one judges beside it. */
function twoBranches(directory: string): (config: Config) => Config {
  const remote = createRemote(samplePolicies())
  remote.git('checkout', '--quiet', '-b', 'stricter')
  remote.commit({ [insurance]: nobody })
  remote.git('checkout', '--quiet', 'main')
  const git = gitOptions(remote, { directory: join(directory, 'copy') })
  const beside = gitOptions(remote, { directory: join(directory, 'copy.shadow'), ref: 'stricter' })
  const shadow = { directory: undefined, git: beside, ...whole }
  return (config) => ({ ...config, policy: { ...config.policy, directory: undefined, git, shadow } })
}

/** Without the sample's own tests, which a revision that forbids more does not pass. */
function samplePolicies(): Record<string, string> {
  const names = readdirSync('policies', { recursive: true, encoding: 'utf8' })
  const files = names.filter((name) => /^(?!tests\/).*\.(?:cedar|cedarschema|yaml|json)$/.test(name))
  return Object.fromEntries(files.map((name) => [name, readFileSync(join('policies', name), 'utf8')]))
}

async function readyz({ app }: RunningApp): Promise<Readyz> {
  return (await (await fetch(`http://${app.addresses.admin}/readyz`)).json()) as Readyz
}

async function metricsOf({ app }: RunningApp): Promise<string> {
  return (await fetch(`http://${app.addresses.admin}/metrics`)).text()
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** Waits for what happens beside the answers, and leaves the CPU to it. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await wait(20)
}

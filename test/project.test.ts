import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { parse } from 'yaml'

const packageJson: {
  readonly version: string
  readonly scripts: Readonly<Record<string, string>>
} = JSON.parse(readFileSync('package.json', 'utf8'))

const workflows = readdirSync('.github/workflows').map((name) => `.github/workflows/${name}`)
const forms = readdirSync('.github/ISSUE_TEMPLATE').map((name) => `.github/ISSUE_TEMPLATE/${name}`)

type Step = {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
}
type Job = {
  readonly 'runs-on': string
  readonly permissions?: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
}
type Workflow = {
  readonly permissions: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}

describe('the project around the code', () => {
  for (const file of workflows) {
    const { permissions, jobs }: Workflow = parse(readFileSync(file, 'utf8'))

    it(`${file} may write nothing but what a job of it names`, () => {
      expect(permissions).to.deep.equal({ contents: 'read' })
      for (const job of Object.values(jobs)) expect(job.permissions?.['contents'] ?? 'read').to.equal('read')
    })

    it(`${file} names a version of every action, and leaves no credentials behind`, () => {
      for (const { 'runs-on': machine, steps } of Object.values(jobs)) {
        expect(machine).to.match(/^ubuntu-\d+\.\d+$/)
        for (const { uses, run, with: given } of steps) {
          expect([uses, run].filter((part) => part !== undefined)).to.have.length(1)
          if (uses !== undefined) expect(uses).to.match(/^[\w-]+\/[\w-]+@(?:v\d+|[0-9a-f]{40})$/)
          if (uses?.startsWith('actions/checkout@') === true)
            expect(given).to.include({ 'persist-credentials': false })
        }
      }
    })

    it(`${file} runs scripts that exist, and puts no event into a shell`, () => {
      const runs = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []))
      for (const run of runs) {
        expect(run).not.to.include('${{')
        for (const [, script = ''] of run.matchAll(/npm run (?:-s )?([\w:-]+)/g))
          expect(packageJson.scripts).to.have.property(script)
        if (run.startsWith('.')) expect(existsSync(run)).to.equal(true)
      }
    })
  }

  for (const file of [...forms, '.github/dependabot.yml']) {
    it(`${file} is YAML`, () => {
      expect(parse(readFileSync(file, 'utf8'), { uniqueKeys: true })).to.be.an('object')
    })
  }

  it('asks for the version, and for what doctor says', () => {
    const bug: { readonly body: readonly { readonly id: string }[] } = parse(
      readFileSync('.github/ISSUE_TEMPLATE/bug.yml', 'utf8'),
    )
    expect(bug.body.map(({ id }) => id)).to.include.members(['version', 'doctor'])
  })

  it('has one version in the package and the chart', () => {
    const chart: { readonly version: string } = parse(readFileSync('istio/helm/waywarden/Chart.yaml', 'utf8'))
    expect(chart.version).to.equal(packageJson.version)
  })

  for (const file of ['CONTRIBUTING.md', 'RELEASING.md', 'docs/development.md', 'docs/compatibility.md']) {
    it(`${file} names scripts that exist`, () => {
      const named = [...readFileSync(file, 'utf8').matchAll(/npm run ([\w:-]+)/g)].map(
        ([, name = '']) => name,
      )
      expect(named.filter((name) => !(name in packageJson.scripts))).to.deep.equal([])
    })
  }
})

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse } from 'yaml'

const packageJson: {
  readonly version: string
  readonly scripts: Readonly<Record<string, string>>
} = JSON.parse(readFileSync('package.json', 'utf8'))

const workflows = readdirSync('.github/workflows').map((name) => `.github/workflows/${name}`)
const forms = readdirSync('.github/ISSUE_TEMPLATE').map((name) => `.github/ISSUE_TEMPLATE/${name}`)

type Step = {
  readonly id?: string
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
}
/** A job has either a machine and steps, or `uses` another workflow. */
type Job = {
  readonly 'runs-on'?: string
  readonly permissions?: Readonly<Record<string, string>>
  readonly needs?: readonly string[]
  readonly uses?: string
  readonly steps?: readonly Step[]
}
type Update = { readonly directory?: string; readonly directories?: readonly string[] }
type Workflow = {
  readonly on: Readonly<Record<string, unknown>>
  readonly permissions: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}

describe('the project around the code', () => {
  for (const file of workflows) {
    const { permissions, jobs } = readWorkflow(file)

    it(`${file} may write nothing but what a job of it names`, () => {
      expect(permissions).to.deep.equal({ contents: 'read' })
      for (const job of Object.values(jobs)) expect(job.permissions?.['contents'] ?? 'read').to.equal('read')
    })

    it(`${file} names a version of every action, and leaves no credentials behind`, () => {
      for (const { 'runs-on': machine, uses: workflow, steps = [] } of Object.values(jobs)) {
        if (workflow === undefined) expect(machine).to.match(/^ubuntu-\d+\.\d+$/)
        else expect(readWorkflow(workflow).on).to.have.property('workflow_call')
        for (const { uses, run, with: given } of steps) {
          expect([uses, run].filter((part) => part !== undefined)).to.have.length(1)
          if (uses !== undefined) expect(uses).to.match(/^[\w-]+\/[\w-]+@(?:v\d+|[0-9a-f]{40})$/)
          if (uses?.startsWith('actions/checkout@') === true)
            expect(given).to.include({ 'persist-credentials': false })
        }
      }
    })

    it(`${file} runs scripts that exist, and puts no event into a shell`, () => {
      const runs = Object.values(jobs).flatMap(({ steps = [] }) => steps.flatMap(({ run }) => run ?? []))
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

  it('has one version in the package, the chart, and the image that the chart asks for', () => {
    const { version } = packageJson
    const chart = parse(readFileSync('istio/helm/waywarden/Chart.yaml', 'utf8'))
    const values = parse(readFileSync('istio/helm/waywarden/values.yaml', 'utf8'))
    expect([chart.version, chart.appVersion, values.image.tag]).to.deep.equal([version, version, version])
  })

  it('runs .ci/run on Node.js 22 and 24', () => {
    const { jobs } = readWorkflow('.github/workflows/ci.yml')
    expect(jobs['test']).to.have.nested.property('strategy.matrix.node').that.deep.equals([22, 24])
    expect(jobs['test']?.steps?.at(-1)).to.deep.equal({ run: '.ci/run' })
  })

  it('names in dependabot.yml folders that exist', () => {
    const { updates } = parse(readFileSync('.github/dependabot.yml', 'utf8'))
    const folders: readonly string[] = updates.flatMap(
      (update: Update) => update.directories ?? update.directory,
    )
    expect(folders).to.not.have.length(0)
    expect(folders.filter((folder) => !existsSync(`.${folder}`))).to.deep.equal([])
  })

  for (const folder of ['docs', 'docs/adr']) {
    it(`says on each page of ${folder} first for whom it is`, () => {
      const pages = readdirSync(folder).filter((name) => name.endsWith('.md'))
      const silent = pages.filter((name) => !/^# .+\n\nFor /.test(readFileSync(`${folder}/${name}`, 'utf8')))
      expect(pages).to.not.have.length(0)
      expect(silent).to.deep.equal([])
    })
  }

  for (const file of ['CONTRIBUTING.md', 'RELEASING.md', 'docs/development.md', 'docs/compatibility.md']) {
    it(`${file} names scripts that exist`, () => {
      const named = [...readFileSync(file, 'utf8').matchAll(/npm run ([\w:-]+)/g)].map(
        ([, name = '']) => name,
      )
      expect(named.filter((name) => !(name in packageJson.scripts))).to.deep.equal([])
    })
  }
})

describe('the release workflow', () => {
  const { jobs } = readWorkflow('.github/workflows/release.yml')
  const published = ['image', 'chart', 'package']
  const tag = `v${packageJson.version}`

  it('publishes nothing before the tests have passed and the tag is the version', () => {
    expect(Object.keys(jobs)).to.have.members(['names', 'test', ...published])
    for (const name of published) expect(jobs[name]?.needs, name).to.have.members(['names', 'test'])
  })

  it('builds the image with SBOM and provenance, and can run what it builds for other processors', () => {
    const steps = jobs['image']?.steps ?? []
    const build = steps.findIndex(({ uses }) => uses?.startsWith('docker/build-push-action@'))
    expect(steps[build]?.with).to.include({ sbom: true, provenance: 'mode=max' })
    const emulation = steps.findIndex(({ uses }) => uses?.startsWith('docker/setup-qemu-action@'))
    expect(emulation).to.be.within(0, build - 1)
  })

  it('names image and chart as a registry accepts it, under the version without `v`', () => {
    expect(nameRelease(tag)).to.deep.equal({
      status: 0,
      written: `version=${packageJson.version}\nimage=ghcr.io/some-hospital/waywarden\ncharts=ghcr.io/some-hospital/charts\n`,
    })
  })

  for (const other of ['v99.0.0', packageJson.version, `${tag}-rc.1`, `v${tag}`]) {
    it(`refuses the tag ${other} for version ${packageJson.version}`, () => {
      expect(nameRelease(other)).to.deep.equal({ status: 1, written: '' })
    })
  }

  it('publishes a package that names its repository, and runs no install scripts', () => {
    const runs = (jobs['package']?.steps ?? []).flatMap(({ run }) => run ?? [])
    expect(runs.join('\n')).to.include('"repository.url=git+https://github.com/$REPOSITORY.git"')
    for (const run of runs.filter((line) => /npm (?:ci|publish)/.test(line)))
      expect(run).to.include('--ignore-scripts')
  })

  /** Runs the step that names what is released, as the runner does. */
  function nameRelease(ref: string): { readonly status: number | null; readonly written: string } {
    const script = jobs['names']?.steps?.find(({ id }) => id === 'names')?.run ?? ''
    const folder = mkdtempSync(join(tmpdir(), 'release-'))
    const output = join(folder, 'output')
    try {
      const { status } = spawnSync('bash', ['-e', '-c', script], {
        env: {
          ...process.env,
          GITHUB_OUTPUT: output,
          TAG: ref,
          REPOSITORY: 'Some-Hospital/Waywarden',
          OWNER: 'Some-Hospital',
        },
      })
      return { status, written: existsSync(output) ? readFileSync(output, 'utf8') : '' }
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
})

function readWorkflow(file: string): Workflow {
  return parse(readFileSync(file, 'utf8'))
}

import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

const argv = ['policy', 'new', 'service', 'price-list', '--owner', 'insurance-team']

describe('cli/policy-new', () => {
  it('writes a draft that loads, passes the tests and changes no decision; lint finds its placeholders alone', async () => {
    const directory = temporaryDirectory()
    await cp('policies', directory, { recursive: true })
    expect(await run([...argv, '--namespace', 'hospital', '--policies', directory])).to.include({
      code: 0,
      err: '',
    })
    expect(await readFile(join(directory, 'services.yaml'), 'utf8')).to.include('- name: price-list')
    for (const command of ['check', 'test']) {
      expect(await run(['policy', command, directory]), command).to.include({ code: 0 })
    }
    const { code, out } = await run(['policy', 'lint', directory, '--json'])
    expect(code).to.equal(1)
    const { findings } = JSON.parse(out)
    expect(findings.every(({ message }: { message: string }) => message.includes('change-me'))).to.equal(true)
    expect(await run(['policy', 'diff', 'policies', directory])).to.include({ code: 0 })
  })

  const beginnings: readonly {
    readonly name: string
    readonly files: Readonly<Record<string, string>> | undefined
  }[] = [
    { name: 'a directory that is not there', files: undefined },
    { name: 'an empty directory', files: {} },
    { name: 'an empty services.yaml', files: { 'services.yaml': '' } },
    { name: 'a catalog without services', files: { 'services.yaml': '# ours\nservices: []\n' } },
    {
      name: 'a catalog with a service and no policy',
      files: {
        'services.yaml':
          'services:\n  - name: a\n    addresses: [a.b:80]\n    spiffeId: spiffe://bank.example/ns/b/sa/a\n    waypoint: spiffe://bank.example/ns/b/sa/w\n',
      },
    },
  ]
  for (const { name, files } of beginnings) {
    it(`begins a repository from ${name}`, async () => {
      const directory = join(temporaryDirectory(), 'policies')
      if (files !== undefined) await mkdir(directory)
      for (const [file, text] of Object.entries(files ?? {})) await writeFile(join(directory, file), text)
      const begun = [
        ...argv,
        '--trust-domain',
        'bank.example',
        '--namespace',
        'bank',
        '--policies',
        directory,
      ]
      expect(await run(begun)).to.include({ code: 0, err: '' })
      const { code, err } = await run(['policy', 'check', directory])
      expect(code).to.equal(0)
      // The output names each line to fill in, and nothing else.
      const warnings = err.trim().split('\n')
      expect(warnings).to.have.length(2)
      for (const warning of warnings)
        expect(warning).to.match(/^warning: insurance-team\/price-list\.cedar:\d+:.*change-me/)
      expect(await readFile(join(directory, 'services.yaml'), 'utf8')).to.include(
        'spiffe://bank.example/ns/bank/sa/price-list',
      )
    })
  }

  it('takes the trust domain from an ID, and asks for it when nothing names it', async () => {
    const directory = join(temporaryDirectory(), 'policies')
    const { code, err } = await run([...argv, '--policies', directory])
    expect([code, err]).to.deep.equal([
      1,
      'the catalog has no service yet to take the trust domain from; say it by `--trust-domain NAME`',
    ])
    const byId = await run([
      ...argv,
      '--policies',
      directory,
      '--spiffe-id',
      'spiffe://bank.example/ns/a/sa/b',
    ])
    expect(byId).to.include({ code: 0 })
    expect(await run([...argv.with(3, 'x'), '--policies', directory, '--trust-domain', 'A/B'])).to.include({
      code: 1,
    })
  })

  it('writes nothing on a dry run', async () => {
    const before = await readFile('policies/services.yaml', 'utf8')
    const { code, out } = await run([...argv, '--dry-run'])
    expect(code).to.equal(0)
    expect(out).to.include('- name: price-list').and.to.include('@id("these-users-only")')
    const { out: json } = await run([...argv, '--dry-run', '--json'])
    expect(JSON.parse(json)).to.deep.include({
      written: false,
      files: ['services.yaml', 'insurance-team/price-list.cedar'],
    })
    expect(await readFile('policies/services.yaml', 'utf8')).to.equal(before)
  })

  it('ends with 1 for a name that is taken and for a repository that does not load, with 2 without an owner', async () => {
    expect(await run([...argv.with(3, 'insurance'), '--dry-run'])).to.include({ code: 1 })
    expect(await run([...argv, '--dry-run', '--policies', 'docs'])).to.include({ code: 1 })
    expect(await run(argv.slice(0, 4))).to.include({ code: 2 })
  })
})

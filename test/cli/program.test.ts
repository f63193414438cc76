import { expect } from 'chai'
import { run } from '../support/terminal.ts'

const commands = [
  'serve',
  'config check',
  'config schema',
  'keys init',
  'chain inspect',
  'chain verify',
  'chain mint',
  'policy check',
  'catalog scaffold',
  'report',
  'why',
]

describe('cli/program', () => {
  for (const command of commands) {
    it(`explains \`${command}\` with an example and its exit codes`, async () => {
      const { code, out } = await run([...command.split(' '), '--help'])
      expect(code).to.equal(0)
      expect(out).to.match(/\n {2}\$ waywarden /)
      expect(out).to.include('Exit codes: 0 ')
    })
  }

  it('tells its version', async () => {
    const { code, out } = await run(['--version'])
    expect(code).to.equal(0)
    expect(out).to.match(/^\d+\.\d+\.\d+$/)
  })

  const misuses: readonly (readonly string[])[] = [
    [],
    ['config'],
    ['sreve'],
    ['serve', '--confg', 'waywarden.yaml'],
    ['chain', 'inspect'],
    ['chain', 'inspect', 'one', 'two'],
    ['why', 'id'],
    ['catalog'],
    ['report'],
  ]
  const told: readonly { readonly argv: readonly string[]; readonly says: readonly RegExp[] }[] = [
    { argv: ['polcy'], says: [/Did you mean policy\?/, /known here: serve, config, /] },
    {
      argv: ['policy', 'validate'],
      says: [/unknown command 'validate'/, /known here: check, diff, explain/],
    },
    { argv: ['config', 'chek'], says: [/Did you mean check\?/] },
    { argv: ['serve', '--confg', 'x'], says: [/unknown option '--confg'/, /Did you mean --config\?/] },
    {
      argv: ['why'],
      says: [/missing required argument 'decision'/, /usage: waywarden why \[options\] <decision>/],
    },
    // A misspelt option is reported before the option that is missing because of it.
    { argv: ['chain', 'mint', '--kesy', 'x'], says: [/unknown option '--kesy'/, /Did you mean --keys\?/] },
    {
      argv: ['chain', 'mint'],
      says: [/--keys <dir> +the keys directory/, /--issuer/, /--subject /, /--holder/],
    },
  ]
  for (const { argv, says } of told) {
    it(`says what to do about \`waywarden ${argv.join(' ')}\``, async () => {
      const { code, err } = await run(argv)
      expect(code).to.equal(2)
      for (const pattern of says) expect(err).to.match(pattern)
    })
  }

  for (const argv of [['help'], ['help', 'policy'], ['policy', 'help', 'check']]) {
    it(`prints help for \`waywarden ${argv.join(' ')}\``, async () => {
      const { code, out, err } = await run(argv)
      expect([code, err]).to.deep.equal([0, ''])
      expect(out).to.include('Usage: waywarden')
    })
  }

  for (const argv of misuses) {
    it(`ends with 2 for \`waywarden ${argv.join(' ')}\``, async () => {
      const { code, out, err } = await run(argv)
      expect([code, out]).to.deep.equal([2, ''])
      expect(err).not.to.equal('')
    })
  }
})

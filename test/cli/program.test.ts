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
    ['serve'],
    ['serve', '--confg', 'waywarden.yaml'],
    ['chain', 'inspect'],
    ['chain', 'inspect', 'one', 'two'],
    ['why', 'id'],
    ['catalog'],
    ['report'],
  ]
  for (const argv of misuses) {
    it(`ends with 2 for \`waywarden ${argv.join(' ')}\``, async () => {
      const { code, out, err } = await run(argv)
      expect([code, out]).to.deep.equal([2, ''])
      expect(err).not.to.equal('')
    })
  }
})

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

const good = `version: 1
listeners: [{address: 127.0.0.1:9191, peer: xfcc}]
chain: {issuer: https://waywarden.hospital.example, trustDomain: hospital.example, keys: ./keys}
policy: {directory: ./policies}
audit: {directory: ./audit}
`

describe('cli/config', () => {
  it('accepts a configuration that can serve', async () => {
    expect(await check(good)).to.include({ code: 0, err: '' })
  })

  it('says what is weak, and what must be true elsewhere, of one that can serve', async () => {
    const user = '{name: hospital, issuer: https://idp.hospital.example, audience: a, jwks: j, clients: [ui]'
    const weak = await check(`${good}users: [${user}, id: upn}]\n`)
    expect(weak).to.include({ code: 0 })
    expect(weak.err).to.match(/warning: .*`userClaim`.*\n.*warning: .*`id: upn`/)
    const { code, out } = await check(`${good}users: [${user}, userClaim: sid}]\n`, '--json')
    expect(code).to.equal(0)
    const { ok, remarks } = JSON.parse(out)
    expect([ok, remarks.map(({ kind }: { kind: string }) => kind)]).to.deep.equal([true, ['note']])
    expect(remarks[0].text).to.include('`ui`').and.to.include('service accounts')
  })

  it('wants `clients` beside `userClaim`', async () => {
    const user =
      '{name: hospital, issuer: https://idp.hospital.example, audience: a, jwks: j, userClaim: sid}'
    const { code, err } = await check(`${good}users: [${user}]\n`)
    expect(code).to.equal(78)
    expect(err).to.match(/waywarden\.yaml:6: `users\.0\.clients`: /)
  })

  it('prints every problem of one that cannot, and ends with 78', async () => {
    const { code, err } = await check(good.replace('xfcc', 'xfc').replace('https', 'http'))
    expect(code).to.equal(78)
    expect(err).to.match(
      /waywarden\.yaml:2: `listeners\.0\.peer`: .+\n.+waywarden\.yaml:3: `chain\.issuer`: /,
    )
  })

  it('counts a file that is not there among the problems', async () => {
    const { code, err } = await run(['config', 'check', '-c', join(temporaryDirectory(), 'absent.yaml')])
    expect(code).to.equal(78)
    expect(err).to.include('absent.yaml')
  })

  it('prints problems for scripts', async () => {
    const { code, out } = await check(`${good}enforce: true\n`, '--json')
    expect(code).to.equal(78)
    const { ok, problems } = JSON.parse(out)
    expect([ok, problems.map(({ path }: { path: string }) => path)]).to.deep.equal([false, ['enforce']])
  })

  it('prints the JSON Schema', async () => {
    const { code, out } = await run(['config', 'schema'])
    expect(code).to.equal(0)
    expect(JSON.parse(out)).to.include({ title: 'waywarden.yaml', type: 'object' })
  })
})

async function check(text: string, ...options: readonly string[]): ReturnType<typeof run> {
  const file = join(temporaryDirectory(), 'waywarden.yaml')
  await writeFile(file, text)
  return run(['config', 'check', '-c', file, ...options])
}

import { appendFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { readJwks } from '../support/forge.ts'
import { copyPolicies } from '../support/sample-policies.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

const good = `version: 1
listeners: [{address: 127.0.0.1:9191, peer: xfcc}]
chain: {issuer: https://waywarden.hospital.example, trustDomain: hospital.example, keys: ./keys}
policy: {directory: ./policies}
audit: {directory: ./audit}
`

/** Facts outside the file that the configuration needs, when `writeAll` writes. */
const note =
  'note: users `hospital`: these clients must have service accounts (the client credentials grant) and token exchange off at the provider: `ui`'

describe('cli/config', () => {
  it('accepts a configuration that can serve', async () => {
    const file = await writeAll()
    expect(await run(['config', 'check', '-c', file])).to.deep.equal({
      code: 0,
      out: `${file}: the configuration can serve`,
      err: note,
    })
  })

  it('names every file that it cannot serve with, and ends with 78', async () => {
    const { code, out, err } = await check(good)
    expect([code, out]).to.deep.equal([78, ''])
    expect(err).to.match(/active\.jwk\.json.*policies/s)
    expect(err).to.match(/problems in the configuration; it cannot serve$/)
  })

  it('looks at the text alone where the files are elsewhere, and says so', async () => {
    const { code, out, err } = await check(good, '--no-files')
    expect(code).to.equal(0)
    expect(out).to.match(/the text of the configuration is valid$/)
    expect(err).to.match(/^not checked: the files that it names/)
  })

  it('goes without secrets, and says so', async () => {
    const file = await writeAll()
    await rm(join(dirname(file), 'keys'), { recursive: true })
    expect(await run(['config', 'check', '-c', file])).to.include({ code: 78 })
    const { code, err } = await run(['config', 'check', '-c', file, '--no-secrets'])
    expect([code, err]).to.deep.equal([0, `${note}\nnot checked: secrets (\`--no-secrets\`): \`chain.keys\``])
  })

  it('prints notices that do not keep it from serving', async () => {
    const file = await writeAll()
    await appendFile(file, 'deadline: 10s\nobserve: {until: 2020-01-01, services: [insurence]}\n')
    const { code, err } = await run(['config', 'check', '-c', file])
    expect(code).to.equal(0)
    expect(err.startsWith(`${note}\n`)).to.equal(true)
    expect(err.slice(note.length + 1)).to.match(
      /^notice: observing ended on 2020-01-01.*\nnotice: .*did you mean `insurance`.*\nnotice: `deadline`/,
    )
  })

  it('shows a line that is no YAML, with a caret', async () => {
    const { code, err } = await check(good.replace('xfcc}', 'xfcc'))
    expect(code).to.equal(78)
    expect(err.split('\n')).to.have.length(4)
    expect(err).to.match(
      /^.*waywarden\.yaml:\d+: not usable as YAML: .*\n {4}\d \| .*\n {6}\| *\^\n1 problem/,
    )
  })

  it('says what is weak, and what must be true elsewhere, of one that can serve', async () => {
    const user = '{name: hospital, issuer: https://idp.hospital.example, audience: a, jwks: j, userClaim: sid'
    const weak = await check(`${good}users: [${user}, clients: any, id: upn}]\n`, '--no-files')
    expect(weak).to.include({ code: 0 })
    expect(weak.err).to.match(/warning: .*`clients: any`.*\n.*warning: .*`id: upn`/)
    const { code, out } = await check(`${good}users: [${user}, clients: [ui]}]\n`, '--no-files', '--json')
    expect(code).to.equal(0)
    const { ok, remarks } = JSON.parse(out)
    expect([ok, remarks.map(({ kind }: { kind: string }) => kind)]).to.deep.equal([true, ['note']])
    expect(remarks[0].text).to.include('`ui`').and.to.include('service accounts')
  })

  it('wants `clients`', async () => {
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

/** A configuration that can serve, with all that it names. */
async function writeAll(): Promise<string> {
  const directory = temporaryDirectory()
  const file = join(directory, 'waywarden.yaml')
  await writeFile(
    file,
    `${good}users: [{name: hospital, issuer: https://idp.hospital.example, audience: a, jwks: ./jwks.json, groupsAllow: [billing, clinicians], clients: [ui], userClaim: sid}]\n`,
  )
  await writeFile(join(directory, 'jwks.json'), readJwks('hospital-idp'))
  await run(['keys', 'init', join(directory, 'keys')])
  copyPolicies(join(directory, 'policies'))
  return file
}

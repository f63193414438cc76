import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { forge, readJwks, signer } from '../support/forge.ts'
import { accessClaims, accessHeader, nowMs } from '../support/hospital.ts'
import { settings } from '../support/settings.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

const sign = signer('hospital-idp')
const token = (claims: object = {}, header: object = {}) =>
  forge({ ...accessHeader, ...header }, { ...accessClaims, ...claims }, sign)

describe('cli/token', () => {
  let config = ''

  before(async () => {
    config = join(temporaryDirectory(), 'waywarden.yaml')
    await writeFile(config, settings)
    await writeFile(join(config, '..', 'idp-jwks.json'), readJwks('hospital-idp'))
  })

  const inspect = (text: string, ...options: readonly string[]) =>
    run(['token', 'inspect', '-', ...options], text, nowMs)

  it('accepts the token of a user, in whatever form it was copied', async () => {
    for (const text of [token(), `Bearer ${token()}\n`, `authorization: Bearer ${token()}`]) {
      const { code, out } = await inspect(text, '-c', config)
      expect(out).to.include('This token can begin a chain.').and.to.include('signature: verified')
      expect(code).to.equal(0)
    }
  })

  it('prints no part of the signature, and no key', async () => {
    const text = token({ aud: 'account' })
    const [, , signature = ''] = text.split('.')
    const key = JSON.parse(readJwks('hospital-idp')).keys[0].n
    for (const options of [[], ['-c', config], ['-c', config, '--json']]) {
      const { out, err } = await inspect(text, ...options)
      for (const secret of [signature, key]) expect(`${out}${err}`).to.not.include(secret.slice(0, 20))
    }
  })

  const refused: readonly {
    readonly name: string
    readonly text: string
    readonly named: string
    /** The setting that would accept it; `undefined` if there is none. */
    readonly setting?: string
  }[] = [
    {
      name: 'an audience',
      text: token({ aud: 'account' }),
      named: '`aud` lacks',
      setting: 'audience: account',
    },
    { name: 'a client', text: token({ azp: 'web' }), named: 'client `web`', setting: 'clients: [web]' },
    {
      name: 'groups at another place',
      text: token({ groups: undefined, realm_access: { roles: ['billing'] } }),
      named: '`groups`',
      setting: 'groups: /realm_access/roles',
    },
    {
      name: 'no groups',
      text: token({ groups: undefined }),
      named: '`groups`',
      setting: 'groupsAbsent: none',
    },
    {
      name: 'an id in another claim, beside no groups',
      text: token({ sub: undefined, groups: undefined }),
      named: '`sub`',
      setting: 'id: preferred_username and groupsAbsent: none',
    },
    { name: 'an ID token', text: token({ typ: 'ID' }), named: '`typ`' },
    { name: "a client's own token", text: token({ jti: 'onrtcc:1' }), named: '`jti`' },
    { name: 'a token that is bound to a key', text: token({ cnf: {} }), named: '`cnf`' },
    { name: 'an expired token', text: token({ exp: nowMs / 1000 - 31 }), named: '`exp`' },
    { name: 'an unknown key', text: token({}, { kid: 'hospital-9' }), named: '`hospital-9`' },
  ]
  for (const { name, text, named, setting } of refused) {
    it(`refuses ${name}, and ${setting === undefined ? 'knows no setting' : `says \`${setting}\``}`, async () => {
      const { code, out } = await inspect(text, '-c', config)
      expect(code).to.equal(1)
      expect(out).to.include(named)
      if (setting === undefined) expect(out).to.not.include('accepted with')
      else expect(out).to.include(`accepted with ${setting}`)
    })
  }

  it('recognizes the provider without a configuration, and names the settings that it needs', async () => {
    const { code, out } = await inspect(token())
    expect(code).to.equal(1)
    for (const part of ['provider keycloak', 'audience: hospital-agents', 'clients: [hospital-ui]'])
      expect(out).to.include(part)
  })

  it('asks for the called service where it is the audience', async () => {
    const callee = 'spiffe://hospital.example/ns/billing/sa/agent-a'
    const file = join(temporaryDirectory(), 'waywarden.yaml')
    await writeFile(
      file,
      settings
        .replace('audience: hospital-agents', 'audience: callee')
        .replace('keys: ./keys,', 'keys: ./keys, trustDomainAliases: [localtest.me],'),
    )
    await writeFile(join(file, '..', 'idp-jwks.json'), readJwks('hospital-idp'))
    const text = token({ aud: callee })
    expect(await inspect(text, '-c', file)).to.include({ code: 1 })
    expect(await inspect(text, '-c', file, '--callee', callee)).to.include({ code: 0 })
    const alias = token({ aud: callee.replace('hospital.example', 'localtest.me') })
    expect(await inspect(alias, '-c', file, '--callee', callee)).to.include({ code: 0 })
    expect(await inspect(text, '-c', file, '--callee', 'agent-a')).to.include({ code: 2 })
  })

  it('says for scripts what it found', async () => {
    const { out } = await inspect(token({ aud: 'account' }), '-c', config, '--json')
    const { ok, users, findings } = JSON.parse(out)
    expect([ok, users]).to.deep.equal([false, 'hospital'])
    expect(findings.filter(({ problem }: { problem?: string }) => problem !== undefined)).to.have.length(1)
  })

  for (const [name, text] of [
    ['an opaque token', 'v1.MRrtPSn'.replace('.', '')],
    ['an encrypted token', 'a.b.c.d.e'],
    ['two readings', token().replace('.', '..')],
    ['nothing', ''],
  ] as const) {
    it(`refuses ${name}`, async () => expect(await inspect(text, '-c', config)).to.include({ code: 1 }))
  }

  it('ends with 78 where the configuration is wrong', async () =>
    expect(await inspect(token(), '-c', '/nowhere/waywarden.yaml')).to.include({ code: 78 }))
})

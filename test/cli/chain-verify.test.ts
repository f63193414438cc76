import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { toJwks } from '../../src/decision/chain/keys.ts'
import { loadKeys } from '../../src/decision/chain/keys-source.ts'
import { uris } from '../support/hospital.ts'
import { keysDirectory, mintedChain } from '../support/minted.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

describe('cli/chain-verify', () => {
  let keys: string
  let token: string

  before(async () => {
    keys = await keysDirectory()
    token = await mintedChain(keys)
  })

  const cases: readonly {
    readonly name: string
    readonly options: readonly string[]
    readonly want: string | undefined
  }[] = [
    { name: 'verifies a chain for its holder', options: ['--holder', uris.agentD], want: undefined },
    {
      name: 'verifies a chain of the issuer that is believed',
      options: ['--issuer', 'https://waywarden.hospital.example'],
      want: undefined,
    },
    { name: 'refuses another holder', options: ['--holder', uris.agentA], want: 'chain_not_yours' },
    {
      name: 'refuses a holder that is no SPIFFE ID',
      options: ['--holder', 'agent-d'],
      want: 'chain_not_yours',
    },
    {
      name: 'refuses another issuer',
      options: ['--issuer', 'https://elsewhere.example'],
      want: 'chain_issuer_unknown',
    },
    {
      name: 'refuses a chain after its time',
      options: ['--now', '2100-01-01T00:00:00Z'],
      want: 'chain_expired',
    },
    {
      name: 'refuses a chain before its time',
      options: ['--now', '2020-01-01T00:00:00Z'],
      want: 'chain_not_yet_valid',
    },
  ]
  for (const { name, options, want } of cases) {
    it(name, async () => {
      const { code, out } = await run(['chain', 'verify', token, '--keys', keys, '--json', ...options])
      expect(JSON.parse(out)).to.include({ verified: want === undefined })
      expect(JSON.parse(out).code).to.equal(want)
      expect(code).to.equal(want === undefined ? 0 : 1)
    })
  }

  it('refuses a chain that another key signed', async () => {
    const { code, out } = await run(['chain', 'verify', token, '--keys', await keysDirectory()])
    expect(code).to.equal(1)
    expect(out).to.match(/^REFUSED chain_key_unknown/)
  })

  it('refuses a chain that was changed', async () => {
    const [header, , signature] = token.split('.')
    const [, claims] = (await mintedChain(keys)).split('.')
    const { out } = await run(['chain', 'verify', `${header}.${claims}.${signature}`, '--keys', keys])
    expect(out).to.match(/^REFUSED chain_signature/)
  })

  it('verifies by published keys, from standard input', async () => {
    const loaded = await loadKeys(keys)
    const jwks = join(temporaryDirectory(), 'jwks.json')
    await writeFile(jwks, JSON.stringify('verifying' in loaded ? toJwks(loaded.verifying) : {}))
    const { code, out } = await run(['chain', 'verify', '-', '--jwks', jwks], `${token}\n`)
    expect(code).to.equal(0)
    expect(out).to.match(/^VERIFIED/)
  })

  const misuses: readonly (readonly string[])[] = [
    [],
    ['--keys', 'a', '--jwks', 'b'],
    ['--jwks', '/dev/null'],
    ['--keys', '/dev/null/keys'],
  ]
  for (const options of misuses) {
    it(`takes \`${options.join(' ')}\` for wrong usage`, async () => {
      expect(await run(['chain', 'verify', token, ...options])).to.include({ code: 2, out: '' })
    })
  }

  it('takes a time that is none for wrong usage', async () => {
    expect(await run(['chain', 'verify', token, '--keys', keys, '--now', 'noon'])).to.include({
      code: 2,
      out: '',
    })
  })
})

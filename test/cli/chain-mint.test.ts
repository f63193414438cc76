import { expect } from 'chai'
import { uris } from '../support/hospital.ts'
import { chainArguments, keysDirectory } from '../support/minted.ts'
import { run } from '../support/terminal.ts'

describe('cli/chain-mint', () => {
  it('mints a chain whose hops verify one after the other', async () => {
    const keys = await keysDirectory()
    const { code, out: token } = await run(
      chainArguments(keys, '--actor', uris.agentA, '--actor', uris.agentR, '--group', 'billing'),
    )
    expect(code).to.equal(0)
    const { code: verified, out } = await run(['chain', 'verify', token, '--keys', keys, '--json'])
    expect(verified).to.equal(0)
    const { chain } = JSON.parse(out)
    expect(chain.actors).to.deep.equal([uris.agentR, uris.agentA])
    expect(chain).to.deep.include({ holder: uris.agentD, scopes: [] })
    expect(chain.subject).to.deep.equal({
      issuer: 'https://idp.hospital.example',
      id: 'clerk',
      groups: ['billing'],
    })
  })

  it('prints what was minted for scripts', async () => {
    const { out } = await run([
      ...chainArguments(await keysDirectory(), '--scope', 'insurance:read'),
      '--json',
    ])
    expect(JSON.parse(out)).to.include.keys('token', 'jti', 'txn', 'kid', 'expiresAt')
  })

  it('mints nothing deeper than any Waywarden accepts', async () => {
    const actors = Array.from({ length: 9 }, (_, index) => ['--actor', `${uris.agentA}-${index}`]).flat()
    const { code, out, err } = await run(chainArguments(await keysDirectory(), ...actors))
    expect([code, out]).to.deep.equal([1, ''])
    expect(err).to.include('chain_too_deep')
  })

  const misuses: readonly (readonly string[])[] = [
    ['--actor', 'agent-a'],
    ['--lifetime', '5'],
    ['--keys', '/dev/null/keys'],
  ]
  for (const options of misuses) {
    it(`refuses ${options.join(' ')} as wrong usage`, async () => {
      expect(await run(chainArguments(await keysDirectory(), ...options))).to.include({ code: 2, out: '' })
    })
  }
})

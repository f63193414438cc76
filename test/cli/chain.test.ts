import { expect } from 'chai'
import { uris } from '../support/hospital.ts'
import { chainArguments, keysDirectory, mintedChain } from '../support/minted.ts'
import { run } from '../support/terminal.ts'

describe('cli/chain', () => {
  it('shows the chain from the user to its holder and says that nothing is proven', async () => {
    const { code, out } = await run(['chain', 'inspect', await mintedChain(await keysDirectory())])
    expect(code).to.equal(0)
    expect(out).to.match(/^UNVERIFIED/)
    const places = ['clerk', uris.agentA, uris.agentD].map((who) => out.indexOf(who))
    expect(places)
      .to.deep.equal(places.toSorted((one, other) => one - other))
      .and.not.to.include(-1)
  })

  it('reads the token from standard input', async () => {
    const token = await mintedChain(await keysDirectory())
    expect(await run(['chain', 'inspect', '-'], `${token}\n`)).to.include({ code: 0 })
  })

  it('prints the claims for scripts, marked as not verified', async () => {
    const { out } = await run(['chain', 'inspect', await mintedChain(await keysDirectory()), '--json'])
    const { verified, chain } = JSON.parse(out)
    expect(verified).to.equal(false)
    expect(chain).to.include({
      issuer: 'https://waywarden.hospital.example',
      holder: uris.agentD,
      alg: 'ES256',
    })
  })

  it('lets no claim write lines, or to the terminal, of its own', async () => {
    const minted = await run(
      chainArguments(await keysDirectory(), '--group', 'billing\nVERIFIED\u001b[2J\u202e'),
    )
    const { out } = await run(['chain', 'inspect', minted.out])
    expect(out).to.include('billing')
    expect(out).not.to.match(/^VERIFIED|\p{Bidi_Control}|(?!\n)\p{Cc}/mu)
  })

  for (const token of ['', 'a.b.c', 'x'.repeat(5000)]) {
    it(`refuses ${token.length} bytes that are no chain token`, async () => {
      expect(await run(['chain', 'inspect', token])).to.include({ code: 1, out: '' })
      const { code, out } = await run(['chain', 'inspect', token, '--json'])
      expect(code).to.equal(1)
      expect(JSON.parse(out)).to.include.keys('code', 'reason')
    })
  }
})

import { readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadKeys } from '../../src/decision/chain/keys-source.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

describe('cli/keys', () => {
  it('creates a key that only its owner may read, and that signs', async () => {
    const directory = join(temporaryDirectory(), 'deep', 'keys')
    expect(await run(['keys', 'init', directory])).to.include({ code: 0 })
    const { mode } = await stat(join(directory, 'active.jwk.json'))
    expect(mode & 0o777).to.equal(0o600)
    const keys = await loadKeys(directory)
    expect('signing' in keys && keys.signing.public.alg).to.equal('ES256')
  })

  it('creates another key each time', async () => {
    const [one, other] = [temporaryDirectory(), temporaryDirectory()]
    await run(['keys', 'init', one])
    await run(['keys', 'init', other])
    expect(await readKeyFile(one)).not.to.equal(await readKeyFile(other))
  })

  it('leaves a key that exists as it is', async () => {
    const directory = temporaryDirectory()
    await writeFile(join(directory, 'active.jwk.json'), 'precious')
    expect(await run(['keys', 'init', directory])).to.include({ code: 1, out: '' })
    expect(await readKeyFile(directory)).to.equal('precious')
  })

  it('does not write through a link', async () => {
    const directory = temporaryDirectory()
    const elsewhere = join(temporaryDirectory(), 'elsewhere')
    await symlink(elsewhere, join(directory, 'active.jwk.json'))
    expect(await run(['keys', 'init', directory])).to.include({ code: 1 })
    expect(await stat(elsewhere).catch(() => 'absent')).to.equal('absent')
  })
})

describe('cli/keys rotate', () => {
  const hourMs = 3_600_000
  const kids = async (directory: string) => {
    const keys = await loadKeys(directory)
    if (!('signing' in keys)) throw new TypeError('no keys')
    return { signs: keys.signing.public.kid, verify: [...keys.verifying.keys.keys()] }
  }
  const initialized = async () => {
    const directory = temporaryDirectory()
    await run(['keys', 'init', directory])
    return directory
  }

  it('publishes a key before it signs, and verifies with the former one after', async () => {
    const directory = await initialized()
    const before = await kids(directory)
    expect(await run(['keys', 'rotate', directory])).to.include({ code: 0 })
    const published = await kids(directory)
    expect(published.signs).to.equal(before.signs)
    expect(published.verify).to.have.length(2)
    expect(await run(['keys', 'rotate', directory])).to.include({ code: 0 })
    const promoted = await kids(directory)
    expect(promoted.signs).to.not.equal(before.signs)
    expect(promoted.verify).to.have.members(published.verify)
  })

  it('keeps a retired key as long as a chain may live that it signed', async () => {
    const directory = await initialized()
    const retiredAtMs = Date.now()
    for (let step = 0; step < 2; step++) await run(['keys', 'rotate', directory], '', retiredAtMs)
    const early = await run(['keys', 'rotate', directory], '', retiredAtMs + hourMs - 1000)
    expect(early).to.include({ code: 1 })
    expect((await kids(directory)).verify).to.have.length(2)
    expect(await run(['keys', 'rotate', directory], '', retiredAtMs + hourMs + 1000)).to.include({ code: 0 })
  })

  it('changes nothing in a directory without a good key', async () => {
    const directory = temporaryDirectory()
    await writeFile(join(directory, 'active.jwk.json'), 'precious')
    expect(await run(['keys', 'rotate', directory])).to.include({ code: 1, out: '' })
    expect(await readKeyFile(directory)).to.equal('precious')
  })

  it('takes no overlap without a unit', async () => {
    expect(await run(['keys', 'rotate', await initialized(), '--overlap', '60'])).to.include({ code: 2 })
  })
})

function readKeyFile(directory: string): Promise<string> {
  return readFile(join(directory, 'active.jwk.json'), 'utf8')
}

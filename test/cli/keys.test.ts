import { readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadKeys } from '../../src/chain/keys-source.ts'
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

function readKeyFile(directory: string): Promise<string> {
  return readFile(join(directory, 'active.jwk.json'), 'utf8')
}

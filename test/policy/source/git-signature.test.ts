import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { digestSigners } from '../../../src/policy/source/git-signature.ts'
import { createGitSource } from '../../../src/policy/source/git-source.ts'
import { createRemote, follow, gitOptions, smallRepository } from '../../support/git-remote.ts'
import { createSshKey } from '../../support/ssh-server.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

describe('policy/source/git-signature', () => {
  it('names a list of signers by its content, and takes one that cannot be read for a fault', async () => {
    const path = join(temporaryDirectory(), 'signers')
    expect(await digestSigners(path)).to.have.property('kind', 'fault')
    writeFileSync(path, 'a')
    const first = await digestSigners(path)
    writeFileSync(path, 'b')
    expect(await digestSigners(path))
      .to.be.a('string')
      .and.not.equal(first)
    expect(await digestSigners(undefined)).to.be.a('string')
  })

  it('takes no failure to verify a signature for a missing one', async () => {
    const key = createSshKey()
    const remote = createRemote(smallRepository)
    remote.git('config', 'gpg.format', 'ssh')
    remote.git('config', 'user.signingkey', key.path)
    const signed = remote.commit({ 'team/b.cedar': 'x' }, '--gpg-sign')
    const allowedSigners = join(temporaryDirectory(), 'signers')
    writeFileSync(allowedSigners, `a@hospital.example ${key.publicKey}\n`)
    const source = createGitSource(gitOptions(remote, { allowedSigners }))
    rmSync(allowedSigners)
    expect((await source.look()).kind).to.equal('failed')
    writeFileSync(allowedSigners, `a@hospital.example ${key.publicKey}\n`)
    expect((await follow(source)).files.id).to.equal(signed)
    rmSync(allowedSigners)
    expect((await source.recall())?.found.kind).to.equal('failed')
    // A signer that leaves the list does not count from the next poll on, whatever was verified before.
    writeFileSync(allowedSigners, '')
    expect((await source.look()).kind).to.equal('refused')
  })
})

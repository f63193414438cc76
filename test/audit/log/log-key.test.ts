import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openLogKey, parsePublicKey, publicKeyFile } from '../../../src/audit/log/log-key.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { errnos, failSyncCalls } from '../../support/failing-calls.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

describe('audit/log/log-key', () => {
  it('makes a key once, for its owner alone, and puts the public part beside the log', () => {
    const directory = join(temporaryDirectory(), 'audit')
    const made = openLogKey(directory, undefined)
    expect(statSync(join(directory, 'log-key')).mode & 0o777).to.equal(0o600)
    expect(openLogKey(directory, undefined).publicKey.equals(made.publicKey)).to.equal(true)
    const shown = parsePublicKey(readFileSync(join(directory, publicKeyFile), 'utf8'))
    expect(!isInvalid(shown) && shown.equals(made.publicKey)).to.equal(true)
  })

  it('takes the key that the configuration names', () => {
    const directory = temporaryDirectory()
    const file = join(temporaryDirectory(), 'secret', 'log-key')
    const made = openLogKey(directory, file)
    expect(openLogKey(join(directory, 'other'), file).publicKey.equals(made.publicKey)).to.equal(true)
  })

  it('makes no second key for a log: one that is gone, or cannot be read, ends the start', () => {
    const directory = temporaryDirectory()
    const path = join(directory, 'log-key')
    const made = openLogKey(directory, undefined)
    const shown = readFileSync(join(directory, publicKeyFile), 'utf8')
    for (const code of errnos) {
      using _failing = failSyncCalls(code, /readFileSync .*log-key$/)
      expect(() => openLogKey(directory, undefined))
        .to.throw()
        .with.property('code', code)
    }
    renameSync(path, `${path}.away`)
    for (const file of [undefined, join(directory, 'elsewhere/log-key')])
      expect(() => openLogKey(directory, file))
        .to.throw()
        .with.property('code', 'log_key_gone')
    expect(readFileSync(join(directory, publicKeyFile), 'utf8')).to.equal(shown)
    renameSync(`${path}.away`, path)
    expect(openLogKey(directory, undefined).publicKey.equals(made.publicKey)).to.equal(true)
  })

  it('refuses a key of another kind, and a link to nowhere', () => {
    const directory = temporaryDirectory()
    const file = join(directory, 'rsa')
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }))
    expect(() => openLogKey(directory, file)).to.throw(TypeError)
    const link = join(directory, 'link')
    symlinkSync(join(directory, 'nowhere'), link)
    expect(() => openLogKey(directory, link))
      .to.throw()
      .with.property('code', 'EEXIST')
  })

  for (const text of [
    '',
    'hello',
    'a+00000000+AQ==',
    '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
  ]) {
    it(`refuses \`${text.slice(0, 20)}\` as a public key`, () =>
      expect(isInvalid(parsePublicKey(text))).to.equal(true))
  }
})

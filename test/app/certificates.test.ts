import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { createCa } from '../../demo/ca.ts'
import { followCertificates } from '../../src/app/certificates.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

describe('app/certificates', () => {
  async function follow() {
    const ca = createCa(temporaryDirectory(), 'hospital.example')
    const [first, second] = ['first', 'second'].map((name) =>
      ca.issue(name, [`spiffe://hospital.example/ns/x/sa/${name}`]),
    )
    if (first === undefined || second === undefined) throw new TypeError('no certificates')
    const directory = temporaryDirectory()
    const [cert, key] = [join(directory, 'tls.crt'), join(directory, 'tls.key')]
    await cp(first.chain, cert)
    await cp(first.key, key)
    const told: string[] = []
    const { source, followed } = await followCertificates(
      { cert, key },
      ({ kind }) => told.push(kind),
      3_600_000,
    )
    let changes = 0
    source.onChange(() => changes++)
    return { cert, key, second, source, followed, told, changes: () => changes }
  }

  it('takes up a renewed pair, and tells who listens', async () => {
    const { cert, key, second, source, followed, changes } = await follow()
    const before = source.current().cert
    await cp(second.chain, cert)
    await cp(second.key, key)
    await followed.poller.refresh()
    expect(source.current().cert.equals(before)).to.equal(false)
    expect(changes()).to.equal(1)
    await followed[Symbol.asyncDispose]()
  })

  it('keeps the pair in force while the files do not belong together', async () => {
    const { cert, second, source, followed, told, changes } = await follow()
    const before = source.current().cert
    await cp(second.chain, cert)
    await followed.poller.refresh()
    await writeFile(cert, 'no certificate')
    await followed.poller.refresh()
    expect(source.current().cert.equals(before)).to.equal(true)
    expect(changes()).to.equal(0)
    expect(told).to.deep.equal(['source_loaded', 'source_refused', 'source_refused'])
    await followed[Symbol.asyncDispose]()
  })

  it('does not begin with files that cannot be used', async () => {
    const missing = { cert: '/nowhere/tls.crt', key: '/nowhere/tls.key' }
    const error = await followCertificates(missing, () => {}, 3_600_000).catch((cause: unknown) => cause)
    expect(error).to.have.property('code', 'start_failed')
  })
})

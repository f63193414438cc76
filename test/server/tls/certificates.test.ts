import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { createCa } from '../../../demo/ca.ts'
import { parseTrustDomain } from '../../../src/base/model/spiffe-id.ts'
import { followCertificates } from '../../../src/server/tls/certificates.ts'
import { good } from '../../support/forge.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const trustDomain = good(parseTrustDomain('hospital.example'))
const place = { key: 'listeners.0.tls', listener: '127.0.0.1:9191', trustDomain }

describe('server/tls/certificates', () => {
  async function follow() {
    const ca = createCa(temporaryDirectory(), 'hospital.example')
    const [first, second] = ['first', 'second'].map((name) =>
      ca.issue(name, [`spiffe://hospital.example/ns/x/sa/${name}`]),
    )
    if (first === undefined || second === undefined) throw new TypeError('no certificates')
    const directory = temporaryDirectory()
    const [cert, key, clientCa] = [
      join(directory, 'tls.crt'),
      join(directory, 'tls.key'),
      join(directory, 'ca.crt'),
    ]
    await cp(first.chain, cert)
    await cp(first.key, key)
    await cp(ca.trustedCa, clientCa)
    const told: string[] = []
    const { source, followed, lifetimes } = await followCertificates(
      { ...place, files: { cert, key, clientCa } },
      ({ kind }) => told.push(kind),
      3_600_000,
    )
    let changes = 0
    source.onChange(() => changes++)
    return { cert, key, clientCa, second, source, followed, lifetimes, told, changes: () => changes }
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
    expect(told).to.deep.equal([
      'source_loaded',
      'certificate_read',
      'certificate_read',
      'source_refused',
      'source_refused',
    ])
    await followed[Symbol.asyncDispose]()
  })

  it('does not begin with files that cannot be used', async () => {
    const files = { cert: '/nowhere/tls.crt', key: '/nowhere/tls.key' }
    const start = followCertificates({ ...place, files }, () => {}, 3_600_000)
    const error = await start.catch((cause: unknown) => cause)
    expect(error).to.have.property('code', 'start_failed')
    expect(error).to.have.property('problems').with.length(2)
  })

  it('keeps the CAs in force when one of another trust domain joins them', async () => {
    const { clientCa, source, followed } = await follow()
    const partner = createCa(temporaryDirectory(), 'partner', ['spiffe://partner.example'])
    const merged = `${await readFile(clientCa, 'utf8')}${await readFile(partner.trustedCa, 'utf8')}`
    await writeFile(clientCa, merged)
    await followed.poller.refresh()
    expect(source.current().clientCa?.toString()).not.to.equal(merged)
    expect(followed.poller.problems.join()).to.match(/certificate 2 of 2 \(CN=partner\).*`partner\.example`/)
    await followed[Symbol.asyncDispose]()
  })

  it('knows how long each of them is good', async () => {
    const { cert, clientCa, lifetimes, followed } = await follow()
    expect(lifetimes().map(({ file, lifetime }) => [file, lifetime.what])).to.deep.equal([
      [cert, 'cert'],
      [clientCa, 'clientCa'],
    ])
    await followed[Symbol.asyncDispose]()
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { formatAddress, parseAddress, toCanonicalAddress } from '../../../src/base/http/address.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'

describe('base/http/address', () => {
  const spellings = [
    ['10.96.0.11:8080', '10.96.0.11:08080', '[::ffff:10.96.0.11]:8080', '[::FFFF:a60:b]:8080'],
    ['[fd00::a]:80', '[FD00:0::A]:80', '[fd00:0:0:0:0:0:0:a]:080'],
    [
      'records.hospital.svc.cluster.local:80',
      'Records.Hospital.SVC.cluster.local:80',
      'records.hospital.svc.cluster.local.:80',
    ],
    ['xn--bcher-kva.example:80', 'XN--Bcher-KVA.example.:80'],
    ['3scale:80', '3SCALE.:0080'],
  ]
  for (const [one = '', ...others] of spellings) {
    it(`knows one address in ${others.length + 1} spellings: ${one}`, () => {
      expect([one, ...others].map(toCanonicalAddress)).to.deep.equal([one, ...others].map(() => one))
    })
  }

  const refused = [
    { text: '10.96.0.11', mentions: '10.96.0.11:8080' },
    { text: '[::1]', mentions: '[::1]:8080' },
    { text: '::1:80', mentions: 'brackets' },
    { text: '[10.0.0.1]:80', mentions: 'brackets' },
    { text: '[fe80::1%eth0]:80', mentions: 'zone' },
    { text: '010.0.0.1:80', mentions: 'octal' },
    { text: '10.1:80', mentions: 'four decimal numbers' },
    { text: '167772161:80', mentions: 'four decimal numbers' },
    { text: '0x0a.0.0.1:80', mentions: 'four decimal numbers' },
    { text: '10.0.0.1.:80', mentions: 'four decimal numbers' },
    { text: 'records.8:80', mentions: 'four decimal numbers' },
    { text: 'records:0', mentions: 'from 1 to 65535' },
    { text: 'records:65536', mentions: 'from 1 to 65535' },
    { text: 'records:+80', mentions: 'expected `name:port`' },
    { text: 'records:٨٠', mentions: 'expected `name:port`' },
    { text: ':80', mentions: 'expected `name:port`' },
    { text: 'bücher.example:80', mentions: 'xn--' },
    { text: 'ſervice:80', mentions: 'xn--' },
    { text: 'a..b:80', mentions: 'expected a name' },
    { text: 'a_b:80', mentions: 'expected a name' },
    { text: '-a:80', mentions: 'expected a name' },
    { text: 'a b:80', mentions: 'expected a name' },
    { text: 'http://records:80', mentions: 'expected `name:port`' },
    { text: '.:80', mentions: 'expected a name' },
  ]
  for (const { text, mentions } of refused) {
    it(`refuses \`${text}\`, and says why`, () => {
      const parsed = parseAddress(text)
      expect(isInvalid(parsed) && parsed.reason)
        .to.include(`\`${text}\``)
        .and.include(mentions)
      expect(toCanonicalAddress(text)).to.equal(text)
    })
  }

  it('reads what it writes, as itself', () => {
    const ip = fc.oneof(fc.ipV4(), fc.ipV6()).map((name) => ({ name, isIp: true }))
    const host = fc.oneof(
      ip,
      fc.domain().map((name) => ({ name, isIp: false })),
    )
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), ({ name, isIp }, port) => {
        const address = parseAddress(formatAddress(name, port))
        if (isInvalid(address)) throw new TypeError(address.reason)
        expect(formatAddress(address.host, address.port)).to.equal(address.text)
        expect(address).to.include({ port, isIp })
      }),
      { numRuns: 1000 },
    )
  })

  it('leaves a host that it cannot read as it is', () => {
    expect(formatAddress('fe80::1%eth0', 80)).to.equal('[fe80::1%eth0]:80')
    expect(formatAddress('a b', 80)).to.equal('a b:80')
  })
})

import { expect } from 'chai'
import { createAuthority, issueCertificate } from '../../../demo/x509.ts'
import { parseTrustDomain } from '../../../src/base/model/spiffe-id.ts'
import { refuseClientCa } from '../../../src/server/tls/client-ca.ts'
import { good } from '../../support/forge.ts'

const own = good(parseTrustDomain('hospital.example'))

describe('server/tls/client-ca', () => {
  const nowMs = 1_790_000_000_000
  let plain: string
  let ours: string
  let leaf: string
  const ca = (...uris: readonly string[]) => createAuthority('ca', nowMs, uris).certificate

  before(() => {
    const authority = createAuthority('ours', nowMs, ['spiffe://hospital.example'])
    plain = createAuthority('istio', nowMs).certificate
    ours = authority.certificate
    leaf = issueCertificate(authority, ['spiffe://hospital.example/ns/a/sa/b'], nowMs).certificate
  })

  const taken: readonly (readonly [name: string, bundle: () => string])[] = [
    ["Istio's own CA, which names no trust domain", () => plain],
    ['a CA of the own trust domain', () => ours],
    ['an old and a new one', () => `${ours}${ca('spiffe://hospital.example')}`],
    ['a CA with words between', () => `# root\n${ours}\n# end\n`],
    ['a CA with another URI', () => ca('https://hospital.example/ca')],
  ]
  for (const [name, bundle] of taken) {
    it(`takes ${name}`, () => expect(refuseClientCa(bundle(), own)).to.deep.equal([]))
  }

  const refused: readonly (readonly [name: string, bundle: () => string, says: RegExp])[] = [
    ['nothing', () => '', /found none/],
    ['what is no PEM', () => 'ca', /found none/],
    ['a certificate that may sign nothing', () => leaf, /certificates that may sign nothing/],
    [
      'a broken certificate',
      () => `${ours}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      /certificate 2 of 2 cannot be read/,
    ],
    ['a CA of another trust domain', () => ca('spiffe://partner.example'), /`partner\.example`.*never merge/],
    ['one beside ours', () => `${ours}${ca('spiffe://partner.example')}`, /certificate 2 of 2/],
    [
      'one that names ours as well',
      () => ca('spiffe://hospital.example', 'spiffe://partner.example'),
      /partner/,
    ],
    ['one that begins with our name', () => ca('spiffe://hospital.example.evil.example'), /evil/],
    ['one in other letters', () => ca('SPIFFE://Partner.example'), /Partner/],
    ['one whose name has a comma in it', () => ca('spiffe://partner.example/a,b'), /partner/],
    ['one that names a workload', () => ca('spiffe://partner.example/ns/a/sa/ca'), /partner/],
    [
      'one under another label of PEM',
      () => ca('spiffe://partner.example').replaceAll(' CERTIFICATE', ' TRUSTED CERTIFICATE'),
      /partner|cannot be read/,
    ],
  ]
  for (const [name, bundle, says] of refused) {
    it(`refuses ${name}`, () => expect(refuseClientCa(bundle(), own).join()).to.match(says))
  }
})

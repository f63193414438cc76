import { expect } from 'chai'
import { createAuthority, issueCertificate } from '../../../demo/x509.ts'
import {
  lifetimeOfBundle,
  lifetimeOfChain,
  noticeLifetime,
  renewalDueMs,
} from '../../../src/server/tls/certificate-lifetimes.ts'

const dayMs = 86_400_000
/** Certificates of the demo live from a day before this to a day after it. */
const madeMs = 1_790_000_000_000
const hourMs = 3_600_000

describe('server/tls/certificate-lifetimes', () => {
  let old: string
  let leaf: string
  let later: string

  before(() => {
    const authority = createAuthority('ca', madeMs)
    old = authority.certificate
    leaf = issueCertificate(authority, ['spiffe://hospital.example/ns/a/sa/b'], madeMs + hourMs).certificate
    later = createAuthority('ca', madeMs + 10 * dayMs).certificate
  })

  it('ends with the first certificate of a chain, and with the last CA of a bundle', () => {
    expect(lifetimeOfChain(`${leaf}${old}`)?.expiresMs).to.equal(madeMs + dayMs)
    expect(lifetimeOfBundle(`${old}${later}`)?.expiresMs).to.equal(madeMs + 11 * dayMs)
    expect([lifetimeOfChain('none'), lifetimeOfBundle('')]).to.deep.equal([undefined, undefined])
  })

  it('is to be renewed when a third of its life is left', () => {
    const lifetime = { what: 'cert', notBeforeMs: 0, expiresMs: 90 * dayMs } as const
    expect(renewalDueMs(lifetime)).to.equal(60 * dayMs)
  })

  const moments: readonly (readonly [day: number, says: RegExp | undefined])[] = [
    [-1, /begins to be valid at 1970-01-01.*clock/],
    [0, undefined],
    [59.9, undefined],
    [60, /expires at 1970-04-01T00:00Z, in 30 days; renew it: Envoy then refuses/],
    [89.5, /in 12 h/],
    [90, /EXPIRED at 1970-04-01T00:00Z/],
    [400, /EXPIRED/],
  ]
  for (const [day, says] of moments) {
    it(`says ${says ?? 'nothing'} on day ${day} of 90`, () => {
      const notice = noticeLifetime(
        { what: 'cert', notBeforeMs: 0, expiresMs: 90 * dayMs },
        'tls.crt',
        day * dayMs,
      )
      if (says === undefined) expect(notice).to.equal(undefined)
      else expect(notice).to.match(says)
    })
  }

  it('says of CAs that nobody can prove himself once they are gone', () => {
    const lifetime = { what: 'clientCa', notBeforeMs: 0, expiresMs: dayMs } as const
    expect(noticeLifetime(lifetime, 'ca.crt', 0.9 * dayMs)).to.match(/no waypoint can then prove itself/)
  })
})

import { expect } from 'chai'
import { issuerNamePattern, splitIssuer } from '../../../src/base/text/issuer-name.ts'

describe('base/text/issuer-name', () => {
  for (const [id, want] of [
    ['hospital/clerk', { issuer: 'hospital', rest: 'clerk' }],
    // Keycloak writes groups as paths.
    ['hospital//staff/interns', { issuer: 'hospital', rest: '/staff/interns' }],
    ['/clerk', { issuer: '', rest: 'clerk' }],
    ['hospital/', { issuer: 'hospital', rest: '' }],
    ['hospital', undefined],
    ['', undefined],
  ] as const) {
    it(`splits \`${id}\` at its first slash`, () => expect(splitIssuer(id)).to.deep.equal(want))
  }

  it('takes lower-case names without a slash, of at most 63 letters', () => {
    const rows = {
      hospital: true,
      'idp-2': true,
      '2nd': true,
      [`a${'b'.repeat(62)}`]: true,
      [`a${'b'.repeat(63)}`]: false,
      Hospital: false,
      'hos/pital': false,
      '-a': false,
      'a ': false,
      'a\n': false,
      '': false,
    }
    const taken = Object.keys(rows).map((name) => [name, issuerNamePattern.test(name)])
    expect(taken).to.deep.equal(Object.entries(rows))
  })
})

import { expect } from 'chai'
import { createUserTokenFinder, tokenHeaders } from '../../../src/decision/identity/agent-token.ts'
import { forge, signer } from '../../support/forge.ts'
import { accessClaims, accessHeader, hospitalIdp } from '../../support/hospital.ts'

const hospital = {
  issuer: hospitalIdp,
  audience: ['hospital-agents'],
  clients: ['hospital-ui'],
  provider: 'keycloak',
} as const
const issuers = [hospital]
const sign = signer('hospital-idp')
const token = forge(accessHeader, accessClaims, sign)
const pretty = forge(accessHeader, JSON.stringify(accessClaims, undefined, 2), sign)
const elsewhere = forge(accessHeader, { ...accessClaims, aud: 'payroll' }, sign)
const groups = Array.from(
  { length: 200 },
  (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
)
const ofMany = forge(accessHeader, { ...accessClaims, aud: 'payroll', groups }, sign)
const foreign = forge(accessHeader, { ...accessClaims, iss: 'https://idp.elsewhere.example' }, sign)

const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('decision/identity/agent-token', () => {
  const table: readonly {
    readonly name: string
    readonly values: readonly string[]
    readonly want: boolean
  }[] = [
    { name: 'a user token', values: [`Bearer ${token}`], want: true },
    { name: 'one without a scheme', values: [token], want: true },
    { name: 'one with another scheme', values: [`Token token="${token}"`], want: true },
    { name: 'one after odd spacing', values: [`\tbearer   ${token}\t`], want: true },
    { name: 'one behind a comma', values: [`Basic eDp5,Bearer ${token}`], want: true },
    { name: 'one in a second header', values: ['Basic eDp5', `Bearer ${token}`], want: true },
    { name: 'one with a broken signature', values: [`Bearer ${token.slice(0, -9)}`], want: true },
    { name: 'one with white space in its JSON', values: [`Bearer ${pretty}`], want: true },
    { name: 'one as the password of Basic', values: [`Basic ${base64(`oauth2:${token}`)}`], want: true },
    { name: 'one encoded as a whole', values: [`Bearer ${base64(token)}`], want: true },
    { name: 'one encoded twice', values: [`Basic ${base64(base64(`clerk:Bearer ${token}`))}`], want: true },
    { name: 'one whose dots are escaped', values: [`Bearer ${token.replaceAll('.', '%2E')}`], want: true },
    {
      name: 'one whose letters are escaped',
      values: [`Bearer ${token.replaceAll('e', '%65')}`],
      want: true,
    },
    {
      name: 'a password of its own',
      values: [`Basic ${base64(`agent-d:${'s3cret-'.repeat(9)}`)}`],
      want: false,
    },
    {
      name: 'as the password of Basic a token for another audience',
      values: [`Basic ${base64(`oauth2:${elsewhere}`)}`],
      want: false,
    },
    {
      name: 'more parts within its parts than it reads',
      values: [`Basic ${base64(Array.from({ length: 65 }, () => 'A'.repeat(24)).join())}`],
      want: true,
    },
    { name: 'a token for another audience', values: [`Bearer ${elsewhere}`], want: false },
    {
      name: 'a token for another audience, of a user in many groups',
      values: [`Bearer ${ofMany}`],
      want: false,
    },
    { name: 'a token of another issuer', values: [`Bearer ${foreign}`], want: false },
    {
      name: 'an opaque token',
      values: ['Bearer 2YotnFZFEjr1zCsicMWpAA-2YotnFZFEjr1zCsicMWpAA'],
      want: false,
    },
    {
      name: 'null in base64url',
      values: [`Bearer ${Buffer.from(`null${' '.repeat(30)}`).toString('base64url')}`],
      want: false,
    },
    {
      name: 'more parts than it reads',
      values: [Array.from({ length: 65 }, () => 'A'.repeat(24)).join()],
      want: true,
    },
    { name: 'no value', values: [], want: false },
  ]
  for (const { name, values, want } of table) {
    it(`${want ? 'sees' : 'passes'} ${name}`, () => {
      const request = { headers: new Map([['authorization', values]]), path: '/' }
      expect(createUserTokenFinder(issuers)(request)).to.equal(want)
    })
  }

  const ui = { azp: 'hospital-ui' }
  const agent = 'spiffe://hospital.example/ns/billing/sa/agent-a'
  const callee = { ...hospital, audience: 'callee' } as const
  const withoutAudience = { ...hospital, audience: 'none', provider: 'cognito' } as const
  const ofClients: readonly (readonly [
    name: string,
    issuer: Parameters<typeof createUserTokenFinder>[0][number],
    claims: object,
    want: boolean,
  ])[] = [
    ['one of several audiences', { ...hospital, audience: ['a', 'b'] }, { aud: ['x', 'b'] }, true],
    ['a token for an agent by its SPIFFE ID', callee, { ...ui, aud: agent }, true],
    ['one that an agent exchanged for its callee', callee, { azp: agent, aud: agent }, false],
    ['the same where any client counts', { ...callee, clients: 'any' }, { azp: agent, aud: agent }, true],
    ['a token for another kind of audience', callee, { ...ui, aud: 'payroll' }, false],
    ['a token without audience', withoutAudience, { client_id: 'hospital-ui' }, true],
    ["another client's token without audience", withoutAudience, { client_id: 'other' }, false],
  ]
  for (const [name, issuer, claims, want] of ofClients) {
    it(`${want ? 'sees' : 'passes'} ${name}`, () => {
      const part = Buffer.from(JSON.stringify({ iss: hospitalIdp, ...claims })).toString('base64url')
      const request = { headers: new Map([['authorization', [`Bearer e30.${part}.x`]]]), path: '/' }
      expect(createUserTokenFinder([issuer])(request)).to.equal(want)
    })
  }

  const find = createUserTokenFinder(issuers, ['x-id', 'x_copy'])
  const headersOf = (name: string, value = token) => new Map([[name, [value]]])

  const spelled = [
    ...tokenHeaders,
    'proxy_authorization',
    'x.forwarded.access.token',
    'x-forwarded_access~token',
    'x!auth!request!access!token',
    'x-id',
    "x'id",
    'x_copy',
    'x-copy',
  ]
  for (const name of spelled) {
    it(`sees one in \`${name}\``, () => {
      expect(find({ headers: headersOf(name), path: '/' })).to.equal(true)
      expect(find({ headers: headersOf(name, elsewhere), path: '/' })).to.equal(false)
    })
  }

  for (const name of ['cookie', 'x-note', 'x-id-token', 'xid']) {
    it(`does not look at \`${name}\``, () => {
      expect(find({ headers: headersOf(name), path: '/' })).to.equal(false)
    })
  }

  const queries = [
    { name: 'in the query', path: `/a?access_token=${token}`, want: true },
    { name: 'behind another parameter', path: `/a?x=1&access_token=${token}`, want: true },
    { name: 'behind `;`', path: `/a?x=1;access_token=${token}`, want: true },
    {
      name: 'in a second parameter of the name',
      path: `/a?access_token=x&access_token=${token}`,
      want: true,
    },
    { name: 'under an escaped name', path: `/a?%61ccess%5ftoken=${token}`, want: true },
    { name: 'under a name that PHP folds', path: `/a?+access.token=${token}`, want: true },
    { name: 'under a name that PHP mends', path: `/a?access[token=${token}`, want: true },
    { name: 'in a list', path: `/a?access_token[]=${token}`, want: true },
    {
      name: 'with escaped dots',
      path: `/a?access_token=${token.replaceAll('.', '%2e')}`,
      want: true,
    },
    { name: 'for another audience', path: `/a?access_token=${elsewhere}`, want: false },
    { name: 'in the path', path: `/access_token=${token}`, want: false },
    { name: 'under another name', path: `/a?my_access_token=${token}`, want: false },
    { name: 'whose parameter stands in another value', path: `/a?x=access_token%3D${token}`, want: false },
  ]
  for (const { name, path, want } of queries) {
    it(`${want ? 'sees' : 'passes'} one ${name}`, () => {
      expect(find({ headers: new Map(), path })).to.equal(want)
    })
  }

  it('passes everything when no issuer is for ingress', () => {
    const request = { headers: headersOf('authorization'), path: `/?access_token=${token}` }
    expect(createUserTokenFinder([])(request)).to.equal(false)
  })
})

import { entra, keycloak, other, presentOf } from './providers.ts'
import type { Vector } from './vector.ts'

const named = (claim: string) => ['token_invalid', claim] as const
const clerk = { issuerName: 'hospital', id: 'clerk', groups: ['billing'] }

/** Tokens as providers really write them: what nobody reads must not matter, and what is read must be right. */
export function genuineTokenVectors(): readonly Vector[] {
  return [...headers(), ...kinds(), ...clients(), ...ids(), ...groups()]
}

function headers(): readonly Vector[] {
  const types = ['jwt', 'Jwt', 'application/jwt', 'AT+JWT', 'Application/At+Jwt']
  const others = ['dpop+jwt', 'logout+jwt', 'secevent+jwt', 'at+jwt;v=2', 'x/jwt', '', 7]
  const ignored = {
    jku: 'https://idp.evil.example/keys',
    x5u: 'https://idp.evil.example/chain',
    x5c: ['MIIB'],
    x5t: 'AAAA',
    'x5t#S256': 'AAAA',
    kty: 'RSA',
    score: 0.5,
  }
  const refused = { crit: ['exp'], b64: false, zip: 'DEF', jwk: {} }
  return [
    ...types.map((typ, index) =>
      presentOf(keycloak, `typ-${index + 1}`, `\`typ: ${typ}\`: media types have no case`, 'accepted', {
        header: { typ },
      }),
    ),
    presentOf(other, 'typ-missing', 'many providers leave it out', 'accepted', {
      header: { typ: undefined },
    }),
    presentOf(keycloak, 'typ-missing', 'Keycloak always writes it', named('typ'), {
      header: { typ: undefined },
    }),
    ...others.map((typ, index) =>
      presentOf(
        keycloak,
        `typ-other-${index + 1}`,
        `\`typ: ${typ}\` is another kind of token`,
        named('typ'),
        {
          header: { typ },
        },
      ),
    ),
    ...Object.entries(ignored).map(([member, value]) =>
      presentOf(
        keycloak,
        `header-${member.replace('#', '-')}`,
        'names a key that is never read',
        'accepted',
        {
          header: { [member]: value },
        },
      ),
    ),
    ...Object.entries(refused).map(([member, value]) =>
      presentOf(keycloak, `header-${member}`, 'changes what the token is', named(member), {
        header: { [member]: value },
      }),
    ),
  ]
}

function kinds(): readonly Vector[] {
  const undeclared = { typ: undefined, nonce: 'n-0S6_WzA2Mj' }
  return [
    presentOf(keycloak, 'nonce-beside-bearer', 'a mapper of Keycloak', 'accepted', {
      claims: { nonce: 'n' },
    }),
    presentOf(other, 'nonce-beside-at-jwt', 'RFC 9068 says what it is', 'accepted', {
      claims: undeclared,
      header: { typ: 'at+jwt' },
    }),
    presentOf(other, 'nonce-undeclared', 'nothing says that it is an access token', named('nonce'), {
      claims: undeclared,
    }),
    presentOf(keycloak, 'bearer-case', 'a token type has no case', 'accepted', { claims: { typ: 'bearer' } }),
    ...['at_hash', 'c_hash', 's_hash', 'events'].map((claim) =>
      presentOf(keycloak, `kind-${claim}`, 'whatever `typ` says', named(claim), {
        claims: { [claim]: 'MTIzNDU2Nzg5MDEyMzQ1Ng' },
      }),
    ),
    ...['Offline', 'Refresh', null].map((typ, index) =>
      presentOf(keycloak, `kind-typ-${index + 1}`, `\`typ: ${typ}\``, named('typ'), { claims: { typ } }),
    ),
    ...['id', 'refresh', null].map((use) =>
      presentOf(keycloak, `kind-token-use-${use}`, 'as Cognito says', named('token_use'), {
        claims: { typ: undefined, token_use: use },
      }),
    ),
    ...[{ typ: 'ID' }, undeclared, { typ: undefined, at_hash: 'x' }].map((claims, index) =>
      presentOf(
        keycloak,
        `id-token-audience-${index + 1}`,
        'its kind comes before its audience',
        'token_invalid',
        {
          claims: { ...claims, aud: 'hospital-ui' },
        },
      ),
    ),
  ]
}

function clients(): readonly Vector[] {
  const claims = ['azp', 'client_id', 'cid', 'appid'] as const
  const pairs = claims.flatMap((one, index) =>
    claims.slice(index + 1).map((second) => [one, second] as const),
  )
  const without = { azp: undefined }
  return [
    ...claims.map((claim) =>
      presentOf(other, `client-in-${claim}`, 'where a provider names the client', 'accepted', {
        claims: { ...without, [claim]: 'hospital-ui' },
      }),
    ),
    ...pairs.map(([one, second]) =>
      presentOf(other, `client-${one}-and-${second}`, 'which one counts?', named(second), {
        claims: { ...without, [one]: 'hospital-ui', [second]: 'agent-a' },
      }),
    ),
    presentOf(other, 'client-four-times', 'all of them agree', 'accepted', {
      claims: Object.fromEntries(claims.map((claim) => [claim, 'hospital-ui'])),
    }),
    ...claims.map((claim) =>
      presentOf(other, `client-itself-in-${claim}`, '`sub` is the client', named('sub'), {
        claims: { ...without, [claim]: 'machine', sub: 'machine' },
        user: { clients: 'any' },
      }),
    ),
  ]
}

function ids(): readonly Vector[] {
  const email = { email: 'clerk@hospital.example' }
  const phone = { phone_number: '+4930123' }
  return [
    presentOf(keycloak, 'email-verified', 'the provider has verified it', 'accepted', {
      claims: { ...email, email_verified: true },
      user: { id: 'email' },
    }),
    ...[undefined, false, 'true'].map((verified, index) =>
      presentOf(
        keycloak,
        `email-unverified-${index + 1}`,
        'anybody could have entered it',
        named('email_verified'),
        {
          claims: { ...email, email_verified: verified },
          user: { id: 'email' },
        },
      ),
    ),
    presentOf(keycloak, 'email-unread', 'nobody reads it', 'accepted', {
      claims: { ...email, email_verified: false },
    }),
    presentOf(keycloak, 'phone-verified', 'the provider has verified it', 'accepted', {
      claims: { ...phone, phone_number_verified: true },
      user: { id: 'phone_number' },
    }),
    presentOf(keycloak, 'phone-unverified', 'anybody could have entered it', named('phone_number_verified'), {
      claims: { ...phone, email_verified: true },
      user: { id: 'phone_number' },
    }),
  ]
}

function groups(): readonly Vector[] {
  const none = { groupsAbsent: 'none' } as const
  const overflow = { groups: undefined, _claim_names: { groups: 'src1' }, _claim_sources: { src1: {} } }
  return [
    presentOf(keycloak, 'groups-absent', 'by default a fault', named('groups'), {
      claims: { groups: undefined },
    }),
    {
      ...presentOf(keycloak, 'groups-absent-none', 'Keycloak leaves an empty list out', 'accepted', {
        claims: { groups: undefined },
        user: none,
      }),
      wantSubject: { ...clerk, groups: [] },
    },
    ...[null, [7]].map((value, index) =>
      presentOf(keycloak, `groups-odd-${index + 1}`, 'there, and no list of groups', named('groups'), {
        claims: { groups: value },
        user: none,
      }),
    ),
    ...[
      overflow,
      { groups: undefined, hasgroups: true },
      { groups: undefined, 'groups:src1': {} },
      { groups: undefined, _claim_names: 'x' },
      { ...overflow, groups: ['billing'] },
    ].map((claims, index) =>
      presentOf(
        entra,
        `groups-overflow-${index + 1}`,
        'a list that was left out is not empty',
        named('groups'),
        {
          claims,
          user: none,
        },
      ),
    ),
    presentOf(entra, 'groups-overflow-of-another', 'the claim that is read is whole', 'accepted', {
      claims: { ...overflow, roles: ['billing'] },
      user: { groups: 'roles' },
    }),
    presentOf(entra, 'groups-overflow-of-roles', 'the claim that is read was left out', named('roles'), {
      claims: { _claim_names: { roles: 'src1' } },
      user: { ...none, groups: 'roles' },
    }),
  ]
}

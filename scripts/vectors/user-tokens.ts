import { encodePart, forge, readJwks, signer } from '../../test/support/forge.ts'
import { accessClaims, accessHeader, now, partnerIdp, uris } from '../../test/support/hospital.ts'
import { toVector, type Vector } from './vector.ts'

const sign = signer('hospital-idp')
const genuine = forge(accessHeader, accessClaims, sign)
const clerk = { issuerName: 'hospital', id: 'clerk', groups: ['billing'] }

/** Tokens that ingress presents and an agent must not present. */
export function userTokenVectors(): readonly Vector[] {
  return [...accepted(), ...kinds(), ...claims(), ...headers(), ...headerMembers(), ...fromAgents()]
}

function accepted(): readonly Vector[] {
  const many = Array.from({ length: 500 }, (_, index) => `directory-group-${index}`)
  const partner = { ...accessClaims, iss: partnerIdp, azp: 'partner-portal' }
  const partnerToken = forge(
    { alg: 'EdDSA', kid: 'partner-1', typ: 'at+jwt' },
    partner,
    signer('partner-idp'),
  )
  return [
    present('honest', 'the clerk’s access token', {}, 'accepted', clerk),
    present(
      '500-groups',
      'only the groups that matter go on',
      { groups: [...many, 'billing'] },
      'accepted',
      clerk,
    ),
    present('no-group-of-ours', 'a user in no group is a user', { groups: many }, 'accepted', {
      ...clerk,
      groups: [],
    }),
    present(
      'expired-within-skew',
      'the provider’s clock may be 29 s behind',
      { exp: now - 29 },
      'accepted',
      clerk,
    ),
    authorization('lower-case-scheme', 'a scheme has no case', [`bearer ${genuine}`], 'accepted'),
    {
      ...authorization(
        'same-group-of-partner',
        'two providers, one group name: the subject keeps its issuer’s name',
        [`Bearer ${partnerToken}`],
        'accepted',
      ),
      wantSubject: { ...clerk, issuerName: 'partner' },
    },
  ]
}

function kinds(): readonly Vector[] {
  const cases: readonly (readonly [name: string, why: string, claims: object])[] = [
    ['id-token-type', 'an ID token of Keycloak', { typ: 'ID' }],
    ['refresh-token', 'a refresh token of Keycloak', { typ: 'Refresh' }],
    ['id-token-nonce', 'an ID token that says no type', { typ: undefined, nonce: 'n-0S6_WzA2Mj' }],
    ['id-token-at-hash', 'only ID tokens have it', { at_hash: 'MTIzNDU2Nzg5MDEyMzQ1Ng' }],
    ['no-client', 'an access token names its client', { azp: undefined }],
    ['other-client', 'a client that is not accepted', { azp: 'phishing-ui' }],
    ['client-credentials', 'no user stands behind it (RFC 9068)', { sub: 'hospital-ui' }],
    [
      'service-account',
      'no user stands behind it (Keycloak)',
      { preferred_username: 'service-account-hospital-ui' },
    ],
    ['application', 'no user stands behind it (Entra)', { idtyp: 'app' }],
    ['delegated-before', 'an actor that we did not see act', { act: { sub: 'agent' } }],
    ['bound-to-a-key', 'possession cannot be checked here', { cnf: { jkt: 'x' } }],
  ]
  return cases.map(([name, why, changed]) => present(name, why, changed, 'token_invalid'))
}

function claims(): readonly Vector[] {
  const cases: readonly (readonly [name: string, why: string, claims: object, want: string])[] = [
    ['no-groups', 'absent groups are not no groups', { groups: undefined }, 'token_invalid'],
    [
      'groups-overflow',
      'the list was left out (Entra)',
      { _claim_names: { groups: 'src1' } },
      'token_invalid',
    ],
    ['hasgroups', 'the list was left out (Entra, implicit flow)', { hasgroups: true }, 'token_invalid'],
    ['groups-as-text', 'a text is not a list', { groups: 'billing' }, 'token_invalid'],
    ['no-subject', 'nobody', { sub: undefined }, 'token_invalid'],
    ['empty-subject', 'nobody', { sub: '' }, 'token_invalid'],
    ['control-character', 'a name that breaks a log line', { sub: 'clerk\nroot' }, 'token_invalid'],
    ['no-exp', 'it would live for ever', { exp: undefined }, 'token_invalid'],
    ['future-iat', 'issued after now and the skew', { iat: now + 31, exp: now + 300 }, 'token_invalid'],
    ['not-yet-valid', 'valid later', { nbf: now + 31 }, 'token_invalid'],
    ['expired', 'past its end and the skew', { exp: now - 30 }, 'token_expired'],
    ['other-audience', 'meant for somebody else', { aud: 'payroll' }, 'token_audience'],
    ['no-audience', 'meant for nobody', { aud: undefined }, 'token_audience'],
    [
      'other-issuer',
      'a provider that is not configured',
      { iss: 'https://idp.evil.example' },
      'token_invalid',
    ],
    [
      'issuer-of-other-key',
      'the partner’s name under the hospital’s key',
      { iss: partnerIdp },
      'token_invalid',
    ],
  ]
  return cases.map(([name, why, changed, want]) => present(name, why, changed, want))
}

function headers(): readonly Vector[] {
  const [header = '', payload = '', signature = ''] = genuine.split('.')
  const clinician = encodePart({ ...accessClaims, groups: ['clinicians'] })
  const twoReadings = JSON.stringify(accessClaims).replace('{', '{"sub":"root",')
  const cases: readonly (readonly [name: string, why: string, values: readonly string[], want: string])[] = [
    ['missing', 'ingress presents a user, or nobody', [], 'token_missing'],
    ['two-values', 'which one counts?', [`Bearer ${genuine}`, `Bearer ${genuine}`], 'token_invalid'],
    ['joined', 'Envoy joins two values by a comma', [`Bearer ${genuine},Bearer ${genuine}`], 'token_invalid'],
    ['basic', 'another scheme', ['Basic Y2xlcms6Y2xlcms='], 'token_invalid'],
    [
      'tampered',
      'the clerk makes itself a clinician',
      [`Bearer ${header}.${clinician}.${signature}`],
      'token_invalid',
    ],
    [
      'duplicate-claim',
      'two readings',
      [`Bearer ${forge(accessHeader, twoReadings, sign)}`],
      'token_invalid',
    ],
    [
      'oversize',
      'refused by its size',
      [`Bearer ${header}.${'A'.repeat(20_000)}.${signature}`],
      'token_invalid',
    ],
    ['no-signature', 'two parts', [`Bearer ${header}.${payload}`], 'token_invalid'],
  ]
  return cases.map(([name, why, values, want]) => authorization(name, why, values, want))
}

function headerMembers(): readonly Vector[] {
  const stranger = JSON.parse(readJwks('stranger')).keys[0]
  const cases: readonly (readonly [name: string, why: string, members: object, want: string])[] = [
    ['alg-none', 'not signed', { alg: 'none' }, 'token_invalid'],
    ['alg-ps256', 'a key has one algorithm', { alg: 'PS256' }, 'token_invalid'],
    ['own-key', 'the token brings its own key', { jwk: stranger }, 'token_invalid'],
    ['unknown-key', 'a key that the provider does not have', { kid: 'hospital-9' }, 'token_invalid'],
    ['logout-token', 'another kind of token by the same key', { typ: 'logout+jwt' }, 'token_invalid'],
    ['harmless-member', 'providers add members that mean nothing here', { x5t: 'AAAA' }, 'accepted'],
  ]
  return cases.map(([name, why, members, want]) => {
    const token = forge({ ...accessHeader, ...members }, accessClaims, sign)
    return authorization(name, why, [`Bearer ${token}`], want)
  })
}

function fromAgents(): readonly Vector[] {
  const [part = '', payload = '', signature = ''] = genuine.split('.')
  const other = forge(accessHeader, { ...accessClaims, aud: 'payroll' }, sign)
  const cases: readonly (readonly [name: string, why: string, values: readonly string[], want: string])[] = [
    ['presented', 'D kept the clerk’s token', [`Bearer ${genuine}`], 'token_from_agent'],
    ['other-case', 'a scheme has no case', [`bEARER ${genuine}`], 'token_from_agent'],
    ['odd-spacing', 'a lenient parser skips it', [`Bearer  \t ${genuine} `], 'token_from_agent'],
    ['other-scheme', 'a recipient may accept it', [`DPoP ${genuine}`], 'token_from_agent'],
    [
      'second-value',
      'behind another credential',
      ['Basic Y2xlcms6Y2xlcms=', `Bearer ${genuine}`],
      'token_from_agent',
    ],
    ['joined', 'behind a comma', [`Basic Y2xlcms6Y2xlcms=,Bearer ${genuine}`], 'token_from_agent'],
    [
      'padded',
      'a lenient parser takes padding',
      [`Bearer ${part}.${payload}=.${signature}`],
      'token_from_agent',
    ],
    [
      'expired',
      'nothing is verified, so nothing excuses',
      [`Bearer ${forge(accessHeader, { ...accessClaims, exp: 1 }, sign)}`],
      'token_from_agent',
    ],
    ['for-another-audience', 'a token that was exchanged passes untouched', [`Bearer ${other}`], 'accepted'],
    ['opaque', 'so does an opaque one', ['Bearer 2YotnFZFEjr1zCsicMWpAA'], 'accepted'],
  ]
  return cases.map(([name, why, values, want]) =>
    toVector({ name: `agent-token-${name}`, why, want, request: { headers: { authorization: values } } }),
  )
}

function present(
  name: string,
  why: string,
  changed: object,
  want: string,
  wantSubject?: Vector['wantSubject'],
): Vector {
  const token = forge(accessHeader, { ...accessClaims, ...changed }, sign)
  const vector = authorization(name, why, [`Bearer ${token}`], want)
  return wantSubject === undefined ? vector : { ...vector, wantSubject }
}

function authorization(name: string, why: string, values: readonly string[], want: string): Vector {
  const request = { headers: { authorization: values } }
  return toVector({ name: `user-token-${name}`, why, want, from: uris.gateway, request })
}

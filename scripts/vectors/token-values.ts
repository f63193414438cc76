import { accessClaims, now } from '../../test/support/hospital.ts'
import { type Change, keycloak, presentOf, type Want } from './providers.ts'
import type { Vector } from './vector.ts'

const named = (claim: string) => ['token_invalid', claim] as const
const clerk = { issuerName: 'hospital', id: 'clerk', groups: ['billing'] }

/** Values of claims: times as providers write them, and members that nobody reads. */
export function tokenValueVectors(): readonly Vector[] {
  return [...times(), ...unread()]
}

function times(): readonly Vector[] {
  const cases: readonly (readonly [string, string, Change['claims'], Want])[] = [
    [
      'fractions',
      'a NumericDate may have a fraction',
      { iat: now - 60.5, nbf: now - 60.25, exp: now + 240.75, auth_time: now - 600.1 },
      'accepted',
    ],
    ['exp-fraction-late', 'rounded down', { exp: now - 30 + 0.9 }, 'token_expired'],
    ['exp-fraction-in-time', 'rounded down, and within the skew', { exp: now - 29 + 0.9 }, 'accepted'],
    ['iat-fraction-early', 'not rounded down', { iat: now + 30.1 }, named('iat')],
    ['nbf-fraction-early', 'not rounded down', { nbf: now + 30.1 }, named('nbf')],
    ['within-a-second', 'it never lived', { iat: now + 0.1, exp: now + 0.9 }, named('exp')],
    ['exp-exponent', 'the same number otherwise written', { exp: 1.79000024e9 }, 'accepted'],
    ['exp-null', 'no time', { exp: null }, named('exp')],
    ['exp-text', 'no number', { exp: '1790000240' }, named('exp')],
    ['exp-negative', 'before the epoch', { iat: -7, exp: -3 }, named('iat')],
    ['nbf-null', 'no time', { nbf: null }, named('nbf')],
    ['nbf-text', 'no number', { nbf: '0' }, named('nbf')],
    ['auth-time-text', 'no number', { auth_time: 'yesterday' }, named('auth_time')],
  ]
  return [
    ...cases.map(([name, why, claims, want]) =>
      presentOf(keycloak, `time-${name}`, why, want, { claims: claims ?? {} }),
    ),
    ...['1e300', '1e999', '9007199254740993'].map((exp, index) =>
      presentOf(
        keycloak,
        `time-exp-beyond-${index + 1}`,
        'no time that a chain could carry on',
        named('exp'),
        {
          text: withMember('exp', exp),
        },
      ),
    ),
  ]
}

function unread(): readonly Vector[] {
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
  const values: readonly (readonly [name: string, value: string])[] = [
    ['float', '0.1'],
    ['beyond-safe', '18446744073709551616'],
    ['beyond-double', '1e999'],
    ['minus-zero', '-0'],
    ['deep', deep(60)],
    ['constructor', '{"constructor":{"prototype":{}},"__proto__":{"sub":"root"}}'],
    ['lone-surrogate', '"\\ud800"'],
    ['null', 'null'],
  ]
  return [
    ...values.map(([name, value]) => ({
      ...presentOf(keycloak, `unread-${name}`, 'nobody reads it', 'accepted', {
        text: withMember('x', value),
      }),
      wantSubject: clerk,
    })),
    presentOf(keycloak, 'unread-duplicate', 'two readings', 'token_invalid', {
      text: withMember('x', '{"a":1,"\\u0061":2}'),
    }),
    presentOf(keycloak, 'unread-too-deep', 'a bomb', 'token_invalid', { text: withMember('x', deep(70)) }),
    presentOf(keycloak, 'read-number', 'a user’s name is a text', named('sub'), {
      text: withMember('sub', '18446744073709551616'),
      user: { id: 'sub' },
    }),
    presentOf(keycloak, 'read-lone-surrogate', 'it would become another name', named('sub'), {
      text: withMember('sub', '"clerk\\ud800"'),
      user: { id: 'sub' },
    }),
    presentOf(keycloak, 'read-proto', 'no name of a claim is special', named('__proto__'), {
      text: withMember('__proto__', '{"sub":"root"}'),
      user: { id: '__proto__' },
    }),
  ]
}

/** The claims with one replaced by the exact JSON text of a value. */
function withMember(name: string, value: string): string {
  const { [name]: _replaced, ...others } = accessClaims
  return `${JSON.stringify(others).slice(0, -1)},${JSON.stringify(name)}:${value}}`
}

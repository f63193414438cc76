import { now } from '../../test/support/hospital.ts'
import { cognito, keycloak, other, presentOf, type Want } from './providers.ts'
import type { Vector } from './vector.ts'

const named = (claim: string) => ['token_invalid', claim] as const
const audience = (text: string) => ['token_audience', text] as const
const billing = { issuerName: 'hospital', id: 'clerk', groups: ['billing'] }

/** Vectors for the configuration of audiences, of places for groups, and of tokens that are bound to a key. */
export function configuredTokenVectors(): readonly Vector[] {
  return [...audiences(), ...aliases(), ...places(), ...paths(), ...bound()]
}

function audiences(): readonly Vector[] {
  const callee = 'spiffe://hospital.example/ns/hospital/sa/insurance'
  return [
    presentOf(cognito, 'audience-where-none-is-expected', 'meant for somebody else', audience('payroll'), {
      claims: { aud: 'payroll' },
    }),
    presentOf(cognito, 'no-audience', 'resource binding is configured', audience('hospital-agents'), {
      user: { audience: 'hospital-agents' },
    }),
    presentOf(cognito, 'audience', 'resource binding is configured', 'accepted', {
      user: { audience: 'hospital-agents' },
      claims: { aud: 'hospital-agents' },
    }),
    presentOf(keycloak, 'audience-list', 'one of several', 'accepted', {
      user: { audience: ['other-agents', 'hospital-agents'] },
    }),
    presentOf(keycloak, 'audience-list-other', 'none of several', audience('other-agents'), {
      user: { audience: ['other-agents', 'more-agents'] },
    }),
    presentOf(keycloak, 'audience-callee', 'the called service by its SPIFFE ID', 'accepted', {
      user: { audience: 'callee' },
      claims: { aud: [callee, 'account'] },
    }),
    ...['spiffe://hospital.example/ns/hospital/sa/price-list', 'callee', `${callee}/`, 'hospital-agents'].map(
      (aud, index) =>
        presentOf(
          keycloak,
          `audience-callee-other-${index + 1}`,
          'meant for another service',
          audience(callee),
          {
            user: { audience: 'callee' },
            claims: { aud },
          },
        ),
    ),
  ]
}

/** Audiences of a provider that names services by another trust domain. */
function aliases(): readonly Vector[] {
  const path = '/ns/hospital/sa/insurance'
  const cases: readonly (readonly [name: string, aud: string, aliases: readonly string[], want: Want])[] = [
    ['alias', `spiffe://localtest.me${path}`, ['other.example', 'localtest.me'], 'accepted'],
    ['own-beside-alias', `spiffe://hospital.example${path}`, ['localtest.me'], 'accepted'],
    [
      'alias-unknown',
      `spiffe://localtest.me${path}`,
      ['other.example'],
      audience(`spiffe://hospital.example${path}`),
    ],
    [
      'alias-of-another-service',
      'spiffe://localtest.me/ns/hospital/sa/price-list',
      ['localtest.me'],
      audience(`spiffe://localtest.me${path}`),
    ],
  ]
  return cases.map(([name, aud, trustDomainAliases, want]) => {
    const vector = presentOf(
      keycloak,
      `audience-callee-${name}`,
      'SPIRE and the mesh differ in the trust domain',
      want,
      {
        user: { audience: 'callee' },
        claims: { aud },
      },
    )
    return { ...vector, config: { ...vector.config, trustDomainAliases } }
  })
}

function places(): readonly Vector[] {
  const pointer = { groups: '/realm_access/roles' }
  const roles = { groups: undefined, realm_access: { roles: ['billing', 'offline_access'] } }
  const absent = { ...pointer, groupsAbsent: 'none' } as const
  return [
    {
      ...presentOf(keycloak, 'groups-nested', 'where Keycloak puts roles by itself', 'accepted', {
        user: pointer,
        claims: roles,
      }),
      wantSubject: billing,
    },
    ...[{ realm_access: undefined }, { realm_access: {} }].map((claims, index) => ({
      ...presentOf(keycloak, `groups-nested-absent-${index + 1}`, 'a user without roles', 'accepted', {
        user: absent,
        claims,
      }),
      wantSubject: { ...billing, groups: [] },
    })),
    ...['roles', ['roles'], null, { roles: 'billing' }, { roles: null }].map((realm_access, index) =>
      presentOf(
        keycloak,
        `groups-nested-odd-${index + 1}`,
        'there, and no list',
        named('/realm_access/roles'),
        {
          user: absent,
          claims: { realm_access },
        },
      ),
    ),
    {
      ...presentOf(keycloak, 'groups-escaped', 'RFC 6901: `~1` is a slash', 'accepted', {
        user: { groups: '/https:~1~1hospital.example~1a~0b' },
        claims: { 'https://hospital.example/a~b': ['billing'] },
      }),
      wantSubject: billing,
    },
    presentOf(
      keycloak,
      'groups-pointer-of-prototype',
      'a name that every object has',
      named('/realm_access/constructor'),
      {
        user: { groups: '/realm_access/constructor' },
      },
    ),
  ]
}

function paths(): readonly Vector[] {
  return [
    ...[['/billing'], ['/staff/night', '/billing']].map((groups, index) => ({
      ...presentOf(
        keycloak,
        `groups-full-path-${index + 1}`,
        '“Full group path” is on by default',
        'accepted',
        { claims: { groups } },
      ),
      wantSubject: billing,
    })),
    ...[['/guests/billing'], ['//billing'], ['billing/'], ['/Billing']].map((groups, index) => ({
      ...presentOf(keycloak, `groups-other-path-${index + 1}`, 'a group of another level', 'accepted', {
        claims: { groups },
      }),
      wantSubject: { ...billing, groups: [] },
    })),
    {
      ...presentOf(other, 'groups-full-path', 'only Keycloak writes paths', 'accepted', {
        claims: { groups: ['/billing'] },
      }),
      wantSubject: { ...billing, groups: [] },
    },
  ]
}

function bound(): readonly Vector[] {
  return [
    presentOf(keycloak, 'bound-dpop', 'as Keycloak writes it', named('cnf'), {
      claims: { typ: 'DPoP', cnf: { jkt: '0ZcOCORZNYy' } },
    }),
    presentOf(keycloak, 'bound-dpop-type', 'the type alone', named('typ'), { claims: { typ: 'DPoP' } }),
    presentOf(keycloak, 'bound-mtls', 'RFC 8705', named('cnf'), {
      claims: { cnf: { 'x5t#S256': 'bwcK0e' } },
    }),
    presentOf(keycloak, 'bound-null', 'whatever it says', named('cnf'), { claims: { cnf: null } }),
    presentOf(keycloak, 'bound-expired', 'the reason that helps comes first', named('cnf'), {
      claims: { cnf: { jkt: 'x' }, exp: now - 31, aud: 'other' },
    }),
  ]
}

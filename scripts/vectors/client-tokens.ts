import { entra, entraV1, keycloak, presentOf } from './providers.ts'
import type { Vector } from './vector.ts'

const named = (claim: string) => ['token_invalid', claim] as const
const serviceAccount = {
  sub: '0c6dd7f3-6b27-4e4b-9a58-3f8a2a8d1d10',
  sid: undefined,
  auth_time: undefined,
  preferred_username: 'service-account-hospital-ui',
}
const entraApplication = {
  scp: undefined,
  preferred_username: undefined,
  groups: undefined,
  roles: ['billing'],
}
const ofRoles = { user: { groups: 'roles' } }

/** Tokens that a user stands behind, and tokens of clients, agents and devices that must not begin a chain. */
export function clientTokenVectors(): readonly Vector[] {
  return [...ofKeycloak(), ...ofEntra(), ...ofOthers(), ...userClaimValues(), ...names()]
}

function ofKeycloak(): readonly Vector[] {
  return [
    presentOf(keycloak, 'user', 'the clerk’s token', 'accepted'),
    presentOf(keycloak, 'token-id', 'a user’s own grants', 'accepted', {
      claims: { jti: 'onrtac:4ee8e3dc-030c-412a-df72-2830311ebfa1' },
    }),
    presentOf(keycloak, 'client-id', '`client_id` alone is no sign of a client’s own token', 'accepted', {
      claims: { client_id: 'hospital-ui' },
    }),
    presentOf(keycloak, 'service-account', 'as a realm writes it by default', named('clientHost'), {
      claims: {
        ...serviceAccount,
        clientHost: '10.0.0.7',
        clientAddress: '10.0.0.7',
        client_id: 'hospital-ui',
      },
    }),
    presentOf(keycloak, 'service-account-name', 'its name says so', named('preferred_username'), {
      claims: serviceAccount,
    }),
    presentOf(keycloak, 'service-account-without-profile', 'the scope `profile` is off', named('sid'), {
      claims: { ...serviceAccount, preferred_username: undefined },
      user: { id: 'sub' },
    }),
    presentOf(keycloak, 'service-account-remapped', 'its name is the clerk’s', named('sid'), {
      claims: { ...serviceAccount, preferred_username: 'clerk' },
    }),
    ...['clientHost', 'clientAddress', 'clientId'].map((claim) =>
      presentOf(
        keycloak,
        `service-account-${claim}`,
        'with a session, as refresh tokens give it',
        named(claim),
        {
          claims: { ...serviceAccount, sid: 'f3b5', preferred_username: 'clerk', [claim]: 'x' },
        },
      ),
    ),
    presentOf(keycloak, 'service-account-session', 'all that is left is the id of the token', named('jti'), {
      claims: {
        ...serviceAccount,
        sid: 'PJp0if1oUjDMFAKDUJZRo20y',
        preferred_username: 'clerk',
        jti: 'onrtcc:3a77e810-bf97-0a03-edf2-cf017b6ad1d4',
      },
    }),
    presentOf(keycloak, 'exchanged', 'an agent exchanged the clerk’s token', named('agent-a'), {
      claims: { azp: 'agent-a' },
    }),
  ]
}

function ofEntra(): readonly Vector[] {
  return [
    presentOf(entra, 'user', 'the clerk’s token', 'accepted'),
    presentOf(entraV1, 'user', 'names the client in `appid`', 'accepted'),
    presentOf(entra, 'idtyp-user', 'an optional claim', 'accepted', { claims: { idtyp: 'user' } }),
    presentOf(entra, 'application', 'no `idtyp`, and roles for groups', named('scp'), {
      claims: entraApplication,
      ...ofRoles,
    }),
    presentOf(entraV1, 'application', 'the same of v1.0', named('scp'), {
      claims: entraApplication,
      ...ofRoles,
    }),
    ...['', '/', ' /'].map((scp, index) =>
      presentOf(
        entra,
        `application-scp-${index + 1}`,
        `an agent identity has \`scp: "${scp}"\``,
        named('scp'),
        {
          claims: { ...entraApplication, scp },
          ...ofRoles,
        },
      ),
    ),
    ...['app', 'device', 'User', true].map((idtyp) =>
      presentOf(entra, `idtyp-${typeof idtyp}-${idtyp}`, 'only `user` is a user', named('idtyp'), {
        claims: { idtyp },
      }),
    ),
    presentOf(entra, 'agent-user', 'an agent has a user account of its own', named('xms_sub_fct'), {
      claims: { idtyp: 'user', xms_act_fct: '11', xms_sub_fct: '2 13' },
    }),
    presentOf(entra, 'agent-for-user', 'an actor that we did not see act', named('xms_act_fct'), {
      claims: { idtyp: 'user', xms_act_fct: '3 9 11' },
    }),
    ...['7', '9 10', '13', '33'].map((xms_idrel) =>
      presentOf(
        entra,
        `idrel-${xms_idrel.replace(' ', '-')}`,
        'an application or a device',
        named('xms_idrel'),
        {
          claims: { xms_idrel },
        },
      ),
    ),
    presentOf(entra, 'idrel-guest', 'a guest is a user', 'accepted', { claims: { xms_idrel: '5 32' } }),
  ]
}

/** Marks of providers whose other tokens are not known. */
function ofOthers(): readonly Vector[] {
  return [
    ...(
      [
        ['grant_type', 'client_credentials', 'UAA'],
        ['sub_type', 'client', 'Oracle'],
        ['aut', 'APPLICATION', 'WSO2'],
        ['sub_profile', 'ai_agent', 'actor profile'],
        ['sub_profile', 'service', 'actor profile'],
      ] as const
    ).map(([claim, value, whose]) =>
      presentOf(keycloak, `marked-${claim}-${value}`.toLowerCase(), `as ${whose} marks it`, named(claim), {
        claims: { [claim]: value },
      }),
    ),
    ...(
      [
        ['grant_type', 'authorization_code'],
        ['sub_type', 'user'],
        ['aut', 'APPLICATION_USER'],
        ['sub_profile', 'user'],
      ] as const
    ).map(([claim, value]) =>
      presentOf(keycloak, `unmarked-${claim}`, 'a user’s, as it says', 'accepted', {
        claims: { [claim]: value },
      }),
    ),
  ]
}

function userClaimValues(): readonly Vector[] {
  const nothing = ['', '/', false, 'false', [], {}]
  const something = [true, 1_790_000_000.5, ['pwd', 'otp']]
  return [
    ...nothing.map((sid, index) =>
      presentOf(
        keycloak,
        `user-claim-nothing-${index + 1}`,
        `\`sid: ${JSON.stringify(sid)}\` says nothing`,
        named('sid'),
        {
          claims: { sid },
        },
      ),
    ),
    ...something.map((sid, index) =>
      presentOf(
        keycloak,
        `user-claim-${index + 1}`,
        `\`sid: ${JSON.stringify(sid)}\` says something`,
        'accepted',
        {
          claims: { sid },
        },
      ),
    ),
    presentOf(keycloak, 'user-claim-of-prototype', 'a name that every object has', named('toString'), {
      user: { userClaim: 'toString' },
    }),
  ]
}

/** Names of clients and workloads, wherever a user's name could stand. */
function names(): readonly Vector[] {
  const cases: readonly (readonly [name: string, claim: string, value: string])[] = [
    ['keycloak', 'sub', 'service-account-other'],
    ['keycloak-case', 'username', 'Service-Account-Other'],
    ['keycloak-email', 'email', 'service-account-ui@placeholder.org'],
    ['google', 'email', 'robot@project.iam.gserviceaccount.com'],
    ['google-sub', 'sub', 'robot@project.iam.gserviceaccount.com'],
    ['kubernetes', 'sub', 'system:serviceaccount:billing:agent-a'],
    ['spiffe', 'sub', 'spiffe://hospital.example/ns/billing/sa/agent-a'],
    ['client', 'upn', 'hospital-ui'],
    ['client-configured', 'employee', 'hospital-ui'],
  ]
  return cases.map(([name, claim, value]) =>
    presentOf(keycloak, `name-${name}`, 'a client’s or a workload’s name', named(claim), {
      claims: { employee: 'clerk', [claim]: value },
      user: { id: 'employee' },
    }),
  )
}

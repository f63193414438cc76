import type { DelegatedChain } from '../../src/base/model/chain.ts'
import type { RecordParts } from '../../src/base/model/record-parts.ts'
import type { SpiffeId } from '../../src/base/model/spiffe-id.ts'
import type { Target } from '../../src/base/model/target.ts'
import { spiffeId } from './forge.ts'

/** Texts that must never be in a record: a chain, a user's token, a cookie and a query. */
export const secrets: readonly string[] = [
  'eyJhbGciOiJFUzI1NiJ9.c2VjcmV0.c2ln',
  'user-access-token',
  'session=4711',
  'ssn=078-05-1120',
]

/** A SPIFFE ID of the hospital. */
export function hospitalId(path: string): SpiffeId {
  return spiffeId(`spiffe://hospital.example${path}`)
}

/** The clerk's chain after A handed to D. */
export const clerkChain: DelegatedChain = {
  kind: 'delegated',
  subject: {
    issuerName: 'hospital',
    issuer: 'https://idp.hospital.example/realms/hospital',
    id: 'clerk',
    groups: ['billing'],
  },
  actors: [hospitalId('/ns/billing/sa/agent-a')],
  txn: 'txn-1',
  jti: 'jti-parent',
  scopes: ['insurance:read'],
  expiresAt: 1_790_000_300,
  rootIssuedAt: 1_790_000_000,
  ceiling: 1_790_003_600,
  authTime: 1_789_999_000,
  selfCalls: 0,
  isRecovered: false,
  digest: 'parent-digest',
}

/** D reads a patient's record. */
export const recordTarget: Target = {
  service: {
    name: 'patient-records',
    spiffeId: hospitalId('/ns/hospital/sa/patient-records'),
    waypoint: hospitalId('/ns/hospital/sa/waypoint'),
    isEntry: false,
    forwards: false,
    chainless: [],
    scopes: undefined,
    hopLifetimeSeconds: 300,
  },
  action: { type: 'Action', id: 'read-record' },
  resource: { type: 'Patient', id: 'p-17' },
  params: [{ name: 'patientId', value: 'p-17' }],
  requiredScope: undefined,
  method: 'GET',
  path: '/patients/p-17',
}

const permit = {
  id: 'records-team/patient-records.cedar#billing',
  file: 'records-team/patient-records.cedar',
  line: 3,
}
const forbid = {
  id: 'records-team/patient-records.cedar#clinic',
  file: 'records-team/patient-records.cedar',
  line: 9,
}

/** All that is known when D, for the clerk, is refused a patient's record; with secrets where requests carry them. */
export function deniedParts(decisionId = 'decision-1'): RecordParts {
  return {
    decisionId,
    timeMs: 1_790_000_060_123,
    durationMicros: 412,
    decision: {
      kind: 'deny',
      code: 'policy_denied',
      reason: 'two principals are not permitted',
      results: [
        {
          principal: { type: 'Agent', id: 'spiffe://hospital.example/ns/billing/sa/agent-d' },
          role: 'caller',
          outcome: 'no-permit',
          determiningPolicies: [],
          errors: [{ policy: permit, message: 'attribute `ward` not found' }],
        },
        {
          principal: { type: 'Agent', id: 'spiffe://hospital.example/ns/billing/sa/agent-a' },
          role: 'delegator',
          outcome: 'permit',
          determiningPolicies: [permit],
          errors: [],
        },
        {
          principal: { type: 'User', id: 'hospital/clerk' },
          role: 'subject',
          outcome: 'forbid',
          determiningPolicies: [forbid],
          errors: [],
        },
      ],
    },
    policyRevision: '0123456789abcdef0123456789abcdef',
    policyDigest: '0123456789abcdef'.repeat(4),
    engine: 'cedar-wasm 4.13.0',
    input: {
      method: 'GET',
      path: '/patients/p-17?ssn=078-05-1120',
      host: 'patient-records.hospital.svc.cluster.local:8080',
      destinationAddress: '10.96.0.11:8080',
      headers: new Map([
        ['actor-chain', ['eyJhbGciOiJFUzI1NiJ9.c2VjcmV0.c2ln']],
        ['authorization', ['Bearer user-access-token']],
        ['cookie', ['session=4711']],
        ['traceparent', ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01']],
      ]),
    },
    caller: {
      id: hospitalId('/ns/billing/sa/agent-d'),
      provenBy: 'xfcc',
      waypoint: hospitalId('/ns/hospital/sa/waypoint'),
      isIngress: false,
    },
    chain: clerkChain,
    target: recordTarget,
  }
}

/** The same decision under another id, as a cached judgement gives it. */
export function repeatedParts(decisionId: string): RecordParts {
  return { ...deniedParts(decisionId), questionKey: 'question' }
}

import type { Caller } from '../../src/base/model/caller.ts'
import type { DelegatedChain, FirstHop, Subject } from '../../src/base/model/chain.ts'
import type { SpiffeId } from '../../src/base/model/spiffe-id.ts'
import { spiffeId } from './forge.ts'
import { waypoint } from './policy-files.ts'

/** The hospital's workloads. */
export const hospital: Readonly<Record<'gateway' | 'agentA' | 'agentD' | 'agentR', SpiffeId>> = {
  gateway: spiffeId('spiffe://hospital.example/ns/istio-ingress/sa/gateway'),
  agentA: spiffeId('spiffe://hospital.example/ns/billing/sa/agent-a'),
  agentD: spiffeId('spiffe://hospital.example/ns/billing/sa/agent-d'),
  agentR: spiffeId('spiffe://hospital.example/ns/clinic/sa/agent-r'),
}

/** A workload as the waypoint proved it. */
export function caller(id: SpiffeId, isIngress = false): Caller {
  return { id, provenBy: 'xfcc', waypoint: spiffeId(waypoint), isIngress }
}

/** A user of the hospital's identity provider. */
export function user(id: string, ...groups: readonly string[]): Subject {
  return { issuerName: 'hospital', issuer: 'https://idp.hospital.example/realms/hospital', id, groups }
}

export const clerk: Subject = user('clerk', 'billing')
export const clinician: Subject = user('clinician', 'clinicians')

/** A chain that has been verified and admitted; `actors` latest first, without the caller. */
export function delegated(
  subject: Subject,
  actors: readonly SpiffeId[] = [],
  scopes: readonly string[] = [],
): DelegatedChain {
  return {
    kind: 'delegated',
    subject,
    actors,
    txn: 'txn-1',
    jti: 'jti-1',
    scopes,
    expiresAt: 2_000_000_300,
    rootIssuedAt: 2_000_000_000,
    ceiling: 2_000_003_600,
    authTime: undefined,
    selfCalls: 0,
    isRecovered: false,
    digest: 'digest',
  }
}

/** A user's own verified token, presented at ingress. */
export function firstHop(subject: Subject, scopes: readonly string[] = []): FirstHop {
  const times = { issuedAt: 2_000_000_000, expiresAt: 2_000_000_300, authTime: undefined }
  return { kind: 'first-hop', subject, scopes, ...times }
}

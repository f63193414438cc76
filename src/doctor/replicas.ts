import { isInvalid } from '../base/model/invalid.ts'
import { type KeySet, parseJwks } from '../decision/jws/key-set.ts'
import { parseProviderKeys } from '../decision/jws/provider-keys.ts'
import type { Finding } from './finding.ts'

/** The answers of one replica's admin port. */
export type ReplicaView = {
  readonly url: string
  /** `undefined` if the port did not answer. */
  readonly readiness:
    | { readonly isReady: boolean; readonly reasons: readonly string[]; readonly notices: readonly string[] }
    | undefined
  /** The body of `/.well-known/jwks.json`. */
  readonly jwks: string | undefined
  /** Seconds by which its clock is ahead of this machine's. */
  readonly clockAheadMs: number | undefined
}

// The skew that chain/verify allows. The `Date` header has whole seconds.
const skewAllowedMs = 30_000
const skewNoticedMs = 5000

/** Checks that all replicas answer, publish the same keys and have correct clocks. */
export function replicaFindings(replicas: readonly ReplicaView[]): readonly Finding[] {
  const keySets = replicas.flatMap((replica) => {
    const keys = replica.jwks === undefined ? undefined : parseJwks(replica.jwks)
    return keys === undefined || isInvalid(keys) ? [] : [{ url: replica.url, keys }]
  })
  const known = new Set(keySets.map(({ url }) => url))
  return [
    ...replicas.flatMap(readinessFindings),
    ...replicas
      .filter(({ url, readiness }) => readiness !== undefined && !known.has(url))
      .map(({ url }) => jwksUnreachable(`${url}/.well-known/jwks.json`)),
    ...differingKeys(keySets),
    ...replicas.flatMap(clockFindings),
  ]
}

/** Finds key sets of identity providers that cannot be used, by file. */
export function userKeyFindings(
  files: readonly { readonly name: string; readonly file: string; readonly text: string | undefined }[],
): readonly Finding[] {
  return files
    .filter(({ text }) => text === undefined || isInvalid(parseProviderKeys(text)))
    .map(({ name, file }) => ({
      id: 'jwks_unreachable' as const,
      severity: 'error' as const,
      what: `the keys of identity provider \`${name}\` cannot be read`,
      where: file,
      why: 'Waywarden does not start, or denies every first request of a user with `token_invalid`',
      fix: `curl -fsS "$IDP_JWKS_URL" -o ${file}`,
    }))
}

function readinessFindings({ url, readiness }: ReplicaView): readonly Finding[] {
  if (readiness === undefined)
    return [
      {
        id: 'replica_unreachable',
        severity: 'error',
        what: 'its admin port does not answer',
        where: url,
        why: 'nothing is known of this replica: its keys, its policies, its clock',
        fix: 'kubectl -n waywarden port-forward pod/<pod> 9192:9192   # and: waywarden doctor --admin http://127.0.0.1:9192',
      },
    ]
  if (!readiness.isReady)
    return [
      {
        id: 'replica_not_ready',
        severity: 'error',
        what: `it is not ready: ${readiness.reasons.join('; ') || 'no reason given'}`,
        where: `${url}/readyz`,
        why: 'it gets no checks, and the others carry its load',
        fix: 'kubectl -n waywarden logs <pod>   # the reason above, in full',
      },
    ]
  return readiness.notices.map((notice) => ({
    id: 'replica_notice' as const,
    severity: 'warning' as const,
    what: notice,
    where: `${url}/readyz`,
    why: 'it serves, and reports this notice',
    fix: 'none needed if it is intended; else change waywarden.yaml',
  }))
}

function jwksUnreachable(where: string): Finding {
  return {
    id: 'jwks_unreachable',
    severity: 'error',
    what: 'there are no keys to read',
    where,
    why: 'chains of this replica cannot be verified, and its keys cannot be compared',
    fix: `curl -fsS ${where}`,
  }
}

function differingKeys(sets: readonly { readonly url: string; readonly keys: KeySet }[]): readonly Finding[] {
  const [first, ...others] = sets.map(({ url, keys: { keys } }) => ({
    url,
    lines: [...keys.values()].map(({ jwk }) => JSON.stringify(jwk)).sort(),
    kids: [...keys.keys()].sort().join(', '),
  }))
  if (first === undefined) return []
  return others
    .filter(({ lines }) => lines.join() !== first.lines.join())
    .map((other) => ({
      id: 'keys_differ' as const,
      severity: 'error' as const,
      what: `it has the keys ${other.kids}, and ${first.url} has ${first.kids}${other.kids === first.kids ? ', with other contents' : ''}`,
      where: other.url,
      why: 'a chain that one replica signed is refused by the other: `chain_key_unknown` or `chain_signature`, now and then',
      fix: 'kubectl -n waywarden rollout restart deployment/waywarden   # after all mount the same Secret waywarden-keys',
    }))
}

function clockFindings({ url, clockAheadMs }: ReplicaView): readonly Finding[] {
  if (clockAheadMs === undefined || Math.abs(clockAheadMs) <= skewNoticedMs) return []
  const isAhead = clockAheadMs > 0
  return [
    {
      id: 'clock_skew',
      severity: Math.abs(clockAheadMs) > skewAllowedMs ? 'error' : 'warning',
      what: `its clock is ${Math.round(Math.abs(clockAheadMs) / 1000)} s ${isAhead ? 'ahead of' : 'behind'} the clock here`,
      where: url,
      why: 'beyond 30 s chains are refused as `chain_not_yet_valid` or `chain_expired`',
      fix: 'chronyc tracking   # on the node and here: one of the two clocks is wrong',
    },
  ]
}

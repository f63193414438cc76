import type { PeerSource } from '../base/model/caller.ts'
import type { SpiffeId } from '../base/model/spiffe-id.ts'
import type { Catalog } from '../policy/catalog/catalog.ts'
import type { ClusterView } from './cluster/view.ts'

/** The id of every finding. `--json` prints these ids, so scripts may rely on them. */
export const findingIds = [
  'annotation_missing',
  'annotation_ignored',
  'annotation_value',
  'annotation_pending',
  'metadata_missing',
  'metadata_ignored',
  'peer_principal',
  'istiod_too_old',
  'proxy_too_old',
  'proxy_mixes_identities',
  'proxy_outdated',
  'version_unknown',
  'provider_missing',
  'provider_name',
  'provider_unknown',
  'provider_service',
  'provider_port',
  'no_replicas',
  'no_replica_ready',
  'replicas_missing',
  'fail_open',
  'timeout_missing',
  'timeout_long',
  'timeout_short',
  'status_on_error',
  'policy_missing',
  'policy_selector',
  'policy_not_attached',
  'policy_service_only',
  'policy_rules_missing',
  'policy_partial',
  'several_providers',
  'not_ambient',
  'bypass_open',
  'mtls_not_strict',
  'port_open',
  'waypoint_shut_out',
  'host_network',
  'guard_cuts_off',
  'guard_cuts_off_scraping',
  'tcp_denied',
  'waypoint_absent',
  'waypoint_not_programmed',
  'waypoint_not_ready',
  'object_refused',
  'waypoint_class',
  'waypoint_for',
  'waypoint_not_shared',
  'not_enrolled',
  'ingress_bypasses',
  'service_missing',
  'address_unknown',
  'port_unknown',
  'vip_differs',
  'vip_shared',
  'headless',
  'identity_differs',
  'service_account_shared',
  'dns_unresolved',
  'recovery_replicas',
  'recovery_accepted',
  'recovery_update',
  'replica_unreachable',
  'replica_not_ready',
  'replica_notice',
  'jwks_unreachable',
  'keys_differ',
  'clock_skew',
  'probe_failed',
  'probe_unguarded',
  'probe_not_answered',
  'probe_identity',
  'probe_header_believed',
  'probe_host_believed',
] as const

/** One kind of misconfiguration. */
export type FindingId = (typeof findingIds)[number]

/** One misconfiguration: what, where, why it matters, and the exact change. */
export type Finding = {
  readonly id: FindingId
  /** `error`: requests are judged wrongly, not at all, or all refused. `warning`: one mistake away from that. */
  readonly severity: 'error' | 'warning'
  readonly what: string
  /** `Kind namespace/name`, or a URL. */
  readonly where: string
  readonly why: string
  /** YAML or a command, line by line. */
  readonly fix: string
}

/** The parts of waywarden.yaml that the rules read. */
export type DoctorConfig = {
  readonly listeners: readonly {
    /** `undefined` for a Unix socket. */
    readonly port?: number | undefined
    /** The address it listens on; `undefined` for all addresses. */
    readonly address?: string | undefined
    readonly peer: PeerSource
    readonly tls: { readonly clientCa?: string | undefined } | undefined
  }[]
  readonly deadlineMs: number
  readonly ingress: { readonly peers: readonly { readonly id: SpiffeId }[] }
  /** The services whose requests are observed and not refused; without `services`, all. */
  readonly observe: { readonly services: readonly string[] | undefined } | undefined
  /** `replicas` is the operator's reason why more than one replica is safe. */
  readonly recovery: { readonly replicas?: string | undefined } | undefined
}

/** Checks a cluster for one family of misconfigurations. Missing data is never a finding. */
export type Rule = (
  cluster: ClusterView,
  config: DoctorConfig | undefined,
  catalog: Catalog | undefined,
) => readonly Finding[]

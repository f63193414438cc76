import type { Catalog } from '../policy/catalog/catalog.ts'
import { accountRule } from './accounts.ts'
import { addressRule } from './addresses.ts'
import { bypassRule } from './bypass.ts'
import type { ClusterView } from './cluster/view.ts'
import { enrolmentRule } from './enrolment.ts'
import type { DoctorConfig, Finding, Rule } from './finding.ts'
import { identityRule } from './identity.ts'
import { policyRule } from './policy.ts'
import { portRule } from './port.ts'
import { providerRule } from './provider.ts'
import { recoveryRule } from './recovery.ts'
import { scrapingRule } from './scraping.ts'
import { servingRule } from './serving.ts'
import { unlistedRule } from './unlisted.ts'
import { versionRule } from './versions.ts'

// In the order in which they affect a request.
const rules: readonly Rule[] = [
  enrolmentRule,
  bypassRule,
  unlistedRule,
  scrapingRule,
  versionRule,
  identityRule,
  policyRule,
  providerRule,
  portRule,
  addressRule,
  accountRule,
  recoveryRule,
  servingRule,
]

/** Checks a cluster by every rule. */
export function examineCluster(
  cluster: ClusterView,
  config: DoctorConfig | undefined,
  catalog: Catalog | undefined,
): readonly Finding[] {
  return rules.flatMap((rule) => rule(cluster, config, catalog))
}

/** Sorts errors first, and keeps the order otherwise. */
export function bySeverity(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((one, other) => one.severity.localeCompare(other.severity, 'en'))
}

import { groupBy } from '../base/collections/group-by.ts'
import { listFew } from '../base/text/few.ts'
import { applicablePolicies, type Guarded, isAmbient, mtlsModes } from './cluster/access.ts'
import type { AccessRule, Source } from './cluster/authorization-policy.ts'
import { keyOf } from './cluster/guarded.ts'
import type { ClusterView, Workload } from './cluster/view.ts'
import type { Finding, Rule } from './finding.ts'

/** Scrapers of metrics, by the last part of the image's name. */
const scraperImage =
  /(?:^|\/)(?:prometheus|vmagent|alloy|grafana\/agent|opentelemetry-collector[a-z-]*)(?:[:@]|$)/

/** Checks that scrapers of metrics still reach the pods that ask to be scraped. One finding for each namespace. */
export const scrapingRule: Rule = (cluster) => {
  const [scraper] = cluster.workloads.filter(
    ({ isOwned, containers }) => !isOwned && containers.some(({ image }) => scraperImage.test(image)),
  )
  if (scraper === undefined) return []
  const lost = cluster.workloads.flatMap((workload) => {
    const scraped = workload.isOwned ? undefined : toScraped(workload)
    return scraped === undefined || mayScrape(cluster, scraper, scraped) ? [] : [scraped]
  })
  const byNamespace = groupBy(lost, ({ workload }) => workload.namespace)
  return [...byNamespace].map(([namespace, scraped]) => toFinding(cluster, scraper, namespace, scraped))
}

type Scraped = { readonly workload: Workload; readonly port: string }

function toScraped(workload: Workload): Scraped | undefined {
  const { podAnnotations, containers } = workload
  if (podAnnotations.get('prometheus.io/scrape') !== 'true') return undefined
  const port = podAnnotations.get('prometheus.io/port') ?? containers[0]?.ports[0]?.port
  return port === undefined ? undefined : { workload, port }
}

function mayScrape(cluster: ClusterView, scraper: Workload, { workload, port }: Scraped): boolean {
  const guarded: Guarded = { namespace: workload.namespace, labels: workload.podLabels, ports: [port] }
  if (!isAmbient(cluster, guarded)) return true
  const isInMesh = isCaptured(cluster, scraper)
  if (!isInMesh && mtlsModes(cluster, guarded).includes('STRICT')) return false
  const allowing = applicablePolicies(cluster, guarded).filter(({ action }) => action === 'ALLOW')
  if (allowing.length === 0) return true
  return allowing.some(({ rules = [], namespace }) =>
    rules.some(
      (rule) =>
        isAbout(rule, port) &&
        (rule.sources.length === 0 ||
          rule.sources.some((source) => admits(source, namespace, scraper, isInMesh))),
    ),
  )
}

function isCaptured(cluster: ClusterView, { namespace, podLabels }: Workload): boolean {
  return isAmbient(cluster, { namespace, labels: podLabels, ports: [] })
}

function isAbout({ operations }: AccessRule, port: string): boolean {
  return operations.length === 0 || operations.some(({ ports }) => ports.length === 0 || ports.includes(port))
}

/** True if a source of a rule includes the scraper. Without a certificate a scraper has neither principal nor namespace. */
function admits(source: Source, policyNamespace: string, scraper: Workload, isInMesh: boolean): boolean {
  const { keys, principals, notPrincipals, namespaces, serviceAccounts } = source
  const account = keyOf({ namespace: scraper.namespace, name: scraper.serviceAccount })
  const principal = `/ns/${scraper.namespace}/sa/${scraper.serviceAccount}`
  const isNamed = (pattern: string): boolean => {
    if (!isInMesh) return false
    if (pattern.startsWith('*')) return principal.endsWith(pattern.slice(1))
    return pattern.endsWith('*') || pattern.endsWith(principal)
  }
  const checks: Readonly<Record<string, boolean>> = {
    principals: principals.some(isNamed),
    notPrincipals: !notPrincipals.some(isNamed),
    namespaces: isInMesh && namespaces.includes(scraper.namespace),
    serviceAccounts:
      isInMesh && serviceAccounts.some((name) => [name, `${policyNamespace}/${name}`].includes(account)),
  }
  // The addresses of pods are unknown here.
  return keys.every((key) => checks[key] ?? true)
}

function toFinding(
  cluster: ClusterView,
  scraper: Workload,
  namespace: string,
  scraped: readonly Scraped[],
): Finding {
  const names = listFew(scraped.map(({ workload, port }) => `${workload.name}:${port}`))
  const ports = [...new Set(scraped.map(({ port }) => port))].sort()
  const isInMesh = isCaptured(cluster, scraper)
  return {
    id: 'guard_cuts_off_scraping',
    severity: 'warning',
    what: `${scraper.kind} ${keyOf(scraper)} cannot scrape ${names}: the guard lets only waypoints in`,
    where: `Namespace ${namespace}`,
    why: isInMesh
      ? 'its metrics end, and so do alerts and autoscaling by them'
      : 'the scraper is not in the mesh, so it proves no identity; its metrics end, and so do alerts by them',
    fix: `kubectl apply -f - <<'EOF'   # the selector: a label of the pods that are scraped\n${fixYaml(namespace, ports, scraper, isInMesh)}\nEOF`,
  }
}

function fixYaml(namespace: string, ports: readonly string[], scraper: Workload, isInMesh: boolean): string {
  const quoted = ports.map((port) => `"${port}"`).join(', ')
  const source = isInMesh ? `namespaces: [${scraper.namespace}]` : 'notPrincipals: ["*"]'
  const allow = [
    'apiVersion: security.istio.io/v1',
    'kind: AuthorizationPolicy',
    `metadata: {name: scraping, namespace: ${namespace}}`,
    'spec:',
    '  action: ALLOW',
    '  rules:',
    `  - from: [{source: {${source}}}]`,
    `    to: [{operation: {ports: [${quoted}]}}]`,
  ]
  if (isInMesh) return allow.join('\n')
  return [
    ...allow,
    '---',
    'apiVersion: security.istio.io/v1',
    'kind: PeerAuthentication',
    `metadata: {name: scraping, namespace: ${namespace}}`,
    'spec:',
    '  selector: {matchLabels: {app: APP}}',
    '  mtls: {mode: STRICT}',
    `  portLevelMtls: {${ports.map((port) => `"${port}": {mode: PERMISSIVE}`).join(', ')}}`,
  ].join('\n')
}

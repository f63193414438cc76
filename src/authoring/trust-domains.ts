import { isInvalid } from '../base/model/invalid.ts'
import { parseSpiffeId, type TrustDomain } from '../base/model/spiffe-id.ts'
import { hintFor } from '../base/text/did-you-mean.ts'
import { show } from '../base/text/show.ts'
import type { Catalog } from '../policy/catalog/catalog.ts'
import type { Revision } from '../policy/revision/revision.ts'

/** Names in a policy repository that belong to another trust domain than the configured one. */
export type ForeignNames = {
  /** Why no request can be allowed. */
  readonly fatal: string | undefined
  /** Names that can never be reached or matched, one line each. */
  readonly notices: readonly string[]
}

/** The maximum number of names of one kind, because a renamed trust domain would fill pages. */
const maxNotices = 10

/** Compares the configured trust domain with those of catalog and policies. */
export function findForeignNames(
  { catalog, policies, files }: Pick<Revision, 'catalog' | 'policies' | 'files'>,
  trustDomain: TrustDomain,
): ForeignNames {
  // All services of a catalog have one trust domain, or it does not load.
  if (catalog.services.some(({ waypoint }) => waypoint.trustDomain !== trustDomain))
    return { fatal: fatalFor(catalog, trustDomain), notices: [] }
  const say = (domain: string): string => `${show(domain)}; ${hintFor(domain, [trustDomain])}`
  const chainless = catalog.services.flatMap(({ name, chainless: callers }) =>
    callers
      .filter((caller) => caller.trustDomain !== trustDomain)
      .map(
        (caller) =>
          `services.yaml: \`chainless\` of \`${name}\` never matches: it is of the trust domain ${say(caller.trustDomain)}`,
      ),
  )
  const inPolicies = policies.flatMap(({ id, file, line, json }) =>
    domainsIn(json)
      .filter((domain) => domain !== trustDomain)
      .map((domain) => `${file}:${line}: policy \`${id}\` names the trust domain ${say(domain)}`),
  )
  const inEntities = domainsIn(parseEntities(files.get('entities.json')))
    .filter((domain) => domain !== trustDomain)
    .map((domain) => `entities.json: it names the trust domain ${say(domain)}`)
  return {
    fatal: undefined,
    notices: [chainless, inPolicies, inEntities].flatMap(shorten),
  }
}

function fatalFor({ services }: Catalog, trustDomain: TrustDomain): string {
  const domains = [...new Set(services.map(({ waypoint }) => waypoint.trustDomain))]
  return `nothing can be allowed: \`chain.trustDomain\` is ${show(trustDomain)}, and the waypoints of services.yaml are of ${domains.map(show).join(', ')}`
}

function shorten(notices: readonly string[]): readonly string[] {
  if (notices.length <= maxNotices) return notices
  return [...notices.slice(0, maxNotices), `and ${notices.length - maxNotices} more of this kind`]
}

/** Returns the trust domains of all entities named in a policy or in entities.json, each once. */
function domainsIn(node: unknown): readonly string[] {
  const domains = new Set<string>()
  const waiting: unknown[] = [node]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || next === null) continue
    if ('type' in next && 'id' in next && typeof next.type === 'string' && typeof next.id === 'string') {
      const domain = domainOf(next.type, next.id)
      if (domain !== undefined) domains.add(domain)
    }
    waiting.push(...Object.values(next).filter((value) => value !== undefined))
  }
  return [...domains]
}

function domainOf(type: string, id: string): string | undefined {
  switch (type) {
    case 'TrustDomain':
      return id
    case 'Namespace':
      return id.includes('/') ? id.slice(0, id.indexOf('/')) : undefined
    case 'Agent':
    case 'Autonomous': {
      const parsed = parseSpiffeId(id)
      return isInvalid(parsed) ? undefined : parsed.trustDomain
    }
    default:
      return undefined
  }
}

function parseEntities(text: string | undefined): unknown {
  // The revision has loaded, so it is valid JSON.
  return text === undefined ? [] : JSON.parse(text)
}

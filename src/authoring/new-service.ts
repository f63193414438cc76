import { formatProblem } from '../base/document/problem.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { isProblems } from '../base/model/problems.ts'
import { parseSpiffeId, parseTrustDomain, type TrustDomain } from '../base/model/spiffe-id.ts'
import type { Catalog } from '../policy/catalog/catalog.ts'
import { loadRevision } from '../policy/revision/load.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { toPolicyFiles } from '../policy/source/policy-files.ts'
import { formatServiceDrafts } from './service-draft.ts'

/** The known facts about a new service. Omitted ones are guessed, and marked as guessed. */
export type NewService = {
  readonly name: string
  readonly owner: string
  readonly namespace?: string | undefined
  readonly spiffeId?: string | undefined
  /** The mesh's trust domain; by default that of the other given IDs, or of the catalog's first service. */
  readonly trustDomain?: string | undefined
  readonly address?: readonly string[] | undefined
  readonly waypoint?: string | undefined
  readonly entry?: boolean | undefined
  readonly forwards?: boolean | undefined
}

/** The changed files in full, and the added parts. */
export type ServiceProposal = {
  readonly files: ReadonlyMap<string, string>
  readonly added: { readonly catalog: string; readonly policies: string }
}

const catalogFile = 'services.yaml'
const defaultPort = 8080

/**
 * Drafts a catalog entry and the three policy patterns for a new service. Its permits name no existing principal, so the
 * draft changes no decision. The draft has been loaded together with the other files.
 */
export function draftNewService(
  asked: NewService,
  repository: Pick<Revision, 'catalog' | 'files'>,
): ServiceProposal | Invalid {
  if (repository.catalog.byName.has(asked.name))
    return invalid(`there is a service \`${asked.name}\` already`)
  if (!/^[A-Za-z0-9][\w.-]*$/.test(asked.owner)) {
    return invalid(`\`--owner\`: expected a folder's name, found \`${asked.owner}\``)
  }
  const policyFile = `${asked.owner}/${asked.name}.cedar`
  if (repository.files.has(policyFile)) return invalid(`there is a file \`${policyFile}\` already`)
  const trustDomain = trustDomainOf(asked, repository.catalog)
  if (isInvalid(trustDomain)) return trustDomain
  const [first] = repository.catalog.services
  const namespace = asked.namespace ?? 'default'
  const guess = first?.waypoint.uri ?? `spiffe://${trustDomain.name}/ns/${namespace}/sa/waypoint`
  const catalog = formatEntry(asked, trustDomain.name, asked.waypoint ?? guess)
  const policies = formatPatterns(asked, trustDomain.name)
  const files = new Map([
    [catalogFile, appendTo(repository.files.get(catalogFile) ?? '', catalog)],
    [policyFile, policies],
  ])
  const id = parseSpiffeId(idOf(asked, trustDomain.name))
  if (isInvalid(id)) return invalid(`\`--spiffe-id\`: ${id.reason}`)
  const loaded = loadRevision(toPolicyFiles(new Map([...repository.files, ...files])))
  return !isProblems(loaded)
    ? { files, added: { catalog, policies } }
    : invalid(`the draft would not load: ${loaded.problems.map(formatProblem).join('; ')}`)
}

/** Returns the mesh's trust domain from any name that contains it. */
function trustDomainOf(asked: NewService, catalog: Catalog): { readonly name: TrustDomain } | Invalid {
  if (asked.trustDomain !== undefined) {
    const name = parseTrustDomain(asked.trustDomain)
    return isInvalid(name) ? invalid(`\`--trust-domain\`: ${name.reason}`) : { name }
  }
  for (const text of [asked.spiffeId, asked.waypoint]) {
    const id = text === undefined ? undefined : parseSpiffeId(text)
    if (id !== undefined && !isInvalid(id)) return { name: id.trustDomain }
  }
  const [first] = catalog.services
  return first === undefined
    ? invalid('the catalog has no service yet to take the trust domain from; say it by `--trust-domain NAME`')
    : { name: first.waypoint.trustDomain }
}

/** Appends an entry to the catalog; starts the list if it is empty. */
function appendTo(before: string, entry: string): string {
  if (before.trim() === '') return `services:\n${entry}`
  return `${before.trimEnd().replace(/^services:[ \t]*\[[ \t]*\]/m, 'services:')}\n\n${entry}`
}

function idOf({ spiffeId, namespace = 'default', name }: NewService, trustDomain: string): string {
  return spiffeId ?? `spiffe://${trustDomain}/ns/${namespace}/sa/${name}`
}

function formatEntry(asked: NewService, trustDomain: string, waypoint: string): string {
  const { name, owner, namespace = 'default', address = [] } = asked
  const guessed = `${name}.${namespace}.svc.cluster.local:${defaultPort}`
  const lines = formatServiceDrafts([
    {
      name: { value: name },
      addresses: address.length > 0 ? address : [guessed],
      spiffeId: {
        value: idOf(asked, trustDomain),
        note: asked.spiffeId === undefined ? 'a guess; its service account' : undefined,
      },
      waypoint: {
        value: waypoint,
        note: asked.waypoint === undefined ? 'a guess; the proxy in front of it' : undefined,
      },
      entry: { value: asked.entry === true, note: 'may a chain begin here?' },
      forwards: { value: asked.forwards === true, note: 'does it call onward?' },
      routes: [],
      notes: ['DRAFT. Without routes every request asks its method, on the service.'],
    },
  ])
  const [, ...entry] = lines
  const named = entry.findIndex((line) => line.trimStart().startsWith('- name:')) + 1
  return `${[...entry.slice(0, named), `    owner: ${owner}`, ...entry.slice(named)].join('\n')}\n`
}

function formatPatterns({ name }: NewService, trustDomain: string): string {
  const nobody = `spiffe://${trustDomain}/ns/change-me/sa/change-me`
  const pattern = (comment: string, id: string, principal: string, role: string) => [
    `// ${comment}`,
    `@id("${id}")`,
    'permit (',
    `  principal ${principal},`,
    '  action in Action::"read",',
    `  resource in Service::"${name}"`,
    ')',
    `when { context.role == "${role}" };`,
    '',
  ]
  return [
    '// DRAFT: every `change-me` is nobody yet. Keep the patterns that you need (docs/policy-guide.md).',
    '',
    ...pattern('Caller-only: which agent may call.', 'agent-calls', `== Agent::"${nobody}"`, 'caller'),
    ...pattern(
      'Every-actor: who may have handed the work on, however long the chain is.',
      'agents-delegate',
      'in AgentGroup::"change-me"',
      'delegator',
    ),
    ...pattern(
      'Subject-gated: for which users ...',
      'for-users',
      'in Group::"change-me/change-me"',
      'subject',
    ),
    '// ... and for no others, whatever is permitted elsewhere.',
    '@id("these-users-only")',
    'forbid (',
    '  principal is User,',
    '  action,',
    `  resource in Service::"${name}"`,
    ')',
    'unless { principal in Group::"change-me/change-me" };',
    '',
  ].join('\n')
}

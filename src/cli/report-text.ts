import type { PolicyDrafts } from '../authoring/draft-policy.ts'
import { formatRouteDraft, formatServiceDrafts } from '../authoring/service-draft.ts'
import type { Sightings } from '../authoring/tally.ts'
import { formatCount } from '../base/text/count.ts'
import type { ChainGap } from '../explain/missing-chains.ts'
import type { Denials, ObservationReport } from '../explain/report.ts'
import { formatShadow } from './shadow-text.ts'

const maxRows = 20

/** Formats the report for people: the would-be denials, then the necessary changes. */
export function formatReport(report: ObservationReport): readonly string[] {
  if (report.decisions === undefined) {
    return ['no decisions: check the paths, `--since`, and whether requests come through a waypoint']
  }
  return [
    ...formatSummary(report, report.decisions),
    ...formatDenials(report.denials),
    ...formatGaps(report.gaps),
    ...formatServices(report),
    ...formatRoutes(report),
    ...formatPolicies(report),
    ...formatForbidden(report),
    ...formatCut(report.cut),
    ...report.shadow.flatMap(formatShadow),
  ]
}

/** Formats the report for scripts. Drafts are also given as file contents. */
export function reportToJson(report: ObservationReport, unreadable: number): object {
  const { services, policies } = report
  return {
    ...report,
    unreadable,
    servicesYaml: formatServiceDrafts(services.map(({ draft }) => draft)).join('\n'),
    policies: policies.map((drafts) => ({ ...drafts, file: fileOf(drafts) })),
  }
}

function formatSummary(
  { wouldBeDenied, denied }: ObservationReport,
  decisions: Sightings,
): readonly string[] {
  const share = ((100 * wouldBeDenied) / decisions.count).toFixed(1)
  return [
    `${formatCount(decisions.count, 'decision')}, ${span(decisions)}`,
    wouldBeDenied === 0
      ? 'nothing would be denied'
      : `${wouldBeDenied} would be denied (${share} %); \`waywarden why ID --audit DIR\` explains one`,
    ...(denied === 0 ? [] : [`${denied} were really denied; \`--denied\` also counts them`]),
  ]
}

function formatDenials(denials: readonly Denials[]): readonly string[] {
  if (denials.length === 0) return []
  const codes = [...new Set(denials.map(({ code }) => code))]
  return section(
    'WOULD BE DENIED',
    codes.flatMap((code) => {
      const rows = denials.filter((row) => row.code === code)
      const sum = rows.reduce((total, { calls }) => total + calls.count, 0)
      return [
        `  ${code}: ${sum}`,
        ...firstOf(rows, ({ service, agent, calls }) => [
          `  ${String(calls.count).padStart(8)}  ${agent ?? 'an unknown caller'} -> ${service}`,
          `            ${span(calls)}, for example ${calls.example}`,
        ]),
      ]
    }),
  )
}

function formatGaps(gaps: readonly ChainGap[]): readonly string[] {
  return section(
    'CALLS WITHOUT A CHAIN',
    firstOf(gaps, (gap) => [
      `  ${gap.agent} -> ${gap.services.join(', ') || 'unknown services'}: ${formatCount(gap.calls.count, 'call')}, for example ${gap.calls.example}`,
      `    ${explain(gap)}`,
    ]),
  )
}

function explain({ kind, received, services }: ChainGap): string {
  switch (kind) {
    case 'drops': {
      const handed =
        received === undefined
          ? ''
          : ` ${formatCount(received.count, 'time')} since ${received.first}, for example by ${received.example}`
      return `DOES NOT FORWARD: it received a chain${handed}, and called others without one. Forward the chain header (docs/agents.md), or name it as \`chainless\` if these calls are for nobody`
    }
    case 'not-given':
      return 'chains reach it, but none was minted for it to forward: set `forwards: true` at its service'
    case 'starved':
      return 'its callers send no chain: fix them first'
    case 'unseen':
      return 'it had received no call through a waypoint: name it in `chainless` if it acts for no user, or enrol its service'
    case 'no-entry':
      return `ingress brings users to a service that is no entry: set \`entry: true\` at ${services.join(', ')} if chains may begin there`
  }
}

function formatServices({ services }: ObservationReport): readonly string[] {
  if (services.length === 0) return []
  const head = [
    'DRAFT for services.yaml. Replace what says REPLACE, add `owner`, name actions and resources; check each address.',
  ]
  const drafts = services.map(({ draft }) => draft)
  return section('SERVICES MISSING FROM THE CATALOG', formatServiceDrafts(drafts, head))
}

function formatRoutes({ routes }: ObservationReport): readonly string[] {
  return section(
    'ROUTES MISSING FROM THE CATALOG',
    routes.flatMap(({ service, address, calls, routes: drafts }) => [
      `    # DRAFT for ${service ?? 'the service'} at ${address}: ${formatCount(calls.count, 'request')}, for example ${calls.example}`,
      ...drafts.map(formatRouteDraft),
    ]),
  )
}

function formatPolicies({ policies, gaps }: ObservationReport): readonly string[] {
  const drafts = policies.flatMap((draft) => [
    `// ${fileOf(draft)}`,
    ...draft.policies.flatMap(({ cedar }) => [...cedar.split('\n'), '']),
  ])
  const isIncomplete = gaps.length > 0 && drafts.length > 0
  return section('POLICIES THAT WOULD BE NEEDED: drafts, not in force', [
    ...(isIncomplete
      ? ['// Calls without a chain are not included: their needs are known only when they send one.']
      : []),
    ...drafts.slice(0, -1),
  ])
}

function fileOf({ owner, service }: PolicyDrafts): string {
  return `${owner ?? 'OWNER'}/${service}.cedar`
}

function formatForbidden({ forbidden }: ObservationReport): readonly string[] {
  return section(
    'FORBIDDEN ON PURPOSE: a forbid refused, so no permit was drafted',
    forbidden.map(
      ({ policies, calls }) =>
        `  ${String(calls.count).padStart(8)}  by ${policies.join(', ')}, for example ${calls.example}`,
    ),
  )
}

function formatCut({ denials, gaps, drafts }: ObservationReport['cut']): readonly string[] {
  return section(
    'OMITTED, because there were too many different ones: narrow it with `--since` or fewer paths',
    [
      ...(denials === 0 ? [] : [`  ${formatCount(denials, 'decision')} in no line of WOULD BE DENIED`]),
      ...(gaps === 0
        ? []
        : [`  ${formatCount(gaps, 'decision')} in the search for agents that do not forward`]),
      ...(drafts === 0 ? [] : [`  ${formatCount(drafts, 'decision')} in no draft`]),
    ],
  )
}

/** Returns the most frequent rows for people; scripts get all. */
function firstOf<T>(rows: readonly T[], format: (row: T) => readonly string[]): readonly string[] {
  const left = rows.length - maxRows
  const more = left > 0 ? [`            and ${left} less frequent ones; \`--json\` lists them`] : []
  return [...rows.slice(0, maxRows).flatMap(format), ...more]
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, '', ...lines]
}

function span({ first, last }: Sightings): string {
  return first === last ? first : `${first} to ${last}`
}

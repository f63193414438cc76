import type { DecisionRecord } from '../audit/format/record.ts'
import type { ShadowLine } from '../audit/format/shadow-line.ts'
import {
  createPolicyNeeds,
  type ForbiddenCalls,
  type PolicyDrafts,
  type PolicyNeeds,
} from '../authoring/draft-policy.ts'
import {
  addressOf,
  createServiceDrafts,
  type ServiceDrafts,
  type UnknownRoutes,
  type UnknownService,
} from '../authoring/draft-service.ts'
import { createTally, type Sightings, sighted, type Tally, together } from '../authoring/tally.ts'
import type { DenyCode } from '../base/model/decision.ts'
import { type ChainGap, createMissingChains, type MissingChains } from './missing-chains.ts'
import { createShadowReport, type ShadowSummary } from './shadow-report.ts'

/** The requests that enforcement would refuse, and the changes that would allow them. */
export type ObservationReport = {
  /** All counted records; `undefined` if there are none. */
  readonly decisions: Sightings | undefined
  readonly wouldBeDenied: number
  /** Refused requests, counted only on demand. */
  readonly denied: number
  readonly denials: readonly Denials[]
  readonly gaps: readonly ChainGap[]
  readonly services: readonly UnknownService[]
  readonly routes: readonly (UnknownRoutes & { readonly service: string | undefined })[]
  readonly policies: readonly PolicyDrafts[]
  readonly forbidden: readonly ForbiddenCalls[]
  /** The differing decisions of a shadow revision. */
  readonly shadow: readonly ShadowSummary[]
  /** Counted records that are in no list, because there were too many distinct names. */
  readonly cut: { readonly denials: number; readonly gaps: number; readonly drafts: number }
}

/** Would-be denials of one kind: one code, one service, one caller. */
export type Denials = {
  readonly code: DenyCode
  /** The service's name, or the address of an unknown service. */
  readonly service: string
  readonly agent: string | undefined
  readonly calls: Sightings
}

/** Builds a bounded summary from single records. */
export type ReportBuilder = {
  readonly add: (record: DecisionRecord) => void
  readonly addShadow: (meta: ShadowLine) => void
  /** `ownerOf`: every service of the catalog and its owner, if known. */
  readonly build: (ownerOf: ReadonlyMap<string, string | undefined>) => ObservationReport
}

/** `sinceMs`: earlier records are skipped. `withDenied`: enforced refusals count too. */
export type ReportOptions = { readonly sinceMs: number; readonly withDenied: boolean }

type Row = Omit<Denials, 'service'> & { readonly service: string | undefined; readonly address: string }
type Parts = {
  readonly rows: Tally<Row>
  readonly names: Tally<string>
  readonly forwarding: MissingChains
  readonly drafts: ServiceDrafts
  readonly needs: PolicyNeeds
}

const maxRows = 5000
const maxAddresses = 5000

/** Starts a report. */
export function createReport({ sinceMs, withDenied }: ReportOptions): ReportBuilder {
  const parts: Parts = {
    rows: createTally(maxRows),
    names: createTally(maxAddresses),
    forwarding: createMissingChains(),
    drafts: createServiceDrafts(),
    needs: createPolicyNeeds(),
  }
  const shadow = createShadowReport()
  let decisions: Sightings | undefined
  let wouldBeDenied = 0
  let denied = 0
  return {
    add(record) {
      if (Date.parse(record.time) < sinceMs) return
      decisions = sighted(decisions, record)
      const isDenial = record.outcome === 'observed' || (withDenied && record.outcome === 'deny')
      if (isDenial) wouldBeDenied++
      else if (record.outcome === 'deny') denied++
      take(record, isDenial, parts)
    },
    addShadow(meta) {
      if (Date.parse(meta.until) >= sinceMs) shadow.add(meta)
    },
    build(ownerOf) {
      const found = summarize(parts, ownerOf)
      return { decisions, wouldBeDenied, denied, ...found, shadow: shadow.summaries() }
    },
  }
}

function take(record: DecisionRecord, isDenial: boolean, parts: Parts): void {
  const { service, caller, code } = record
  const address = addressOf(record)
  if (service !== undefined) parts.names.update([address], () => service.name)
  parts.forwarding.add(record, isDenial)
  if (!isDenial || code === undefined) return
  parts.rows.update([code, service?.name ?? '', address, caller?.id ?? ''], (now) => {
    return { code, service: service?.name, address, agent: caller?.id, calls: sighted(now?.calls, record) }
  })
  parts.drafts.add(record)
  parts.needs.add(record)
}

function summarize(
  { rows, names, forwarding, drafts, needs }: Parts,
  ownerOf: ReadonlyMap<string, string | undefined>,
): Omit<ObservationReport, 'decisions' | 'wouldBeDenied' | 'denied' | 'shadow'> {
  return {
    denials: toDenials(rows, names),
    gaps: forwarding.gaps(),
    services: drafts.services(new Set([...names.values(), ...ownerOf.keys()])),
    routes: drafts.routes().map((found) => ({ ...found, service: names.find([found.address]) })),
    policies: needs.drafts(ownerOf),
    forbidden: needs.forbidden(),
    cut: { denials: rows.cut(), gaps: forwarding.cut(), drafts: drafts.cut() + needs.cut() },
  }
}

/**
 * A request that is refused before its service is found has only an address; other requests to that address tell the
 * name.
 */
function toDenials(rows: Tally<Row>, names: Tally<string>): readonly Denials[] {
  const merged = new Map<string, Denials>()
  for (const { code, service, address, agent, calls } of rows.values()) {
    const known = code === 'service_unknown' ? undefined : names.find([address])
    const place = service ?? known ?? (address === '' ? 'an unknown service' : address)
    const key = JSON.stringify([code, place, agent])
    const before = merged.get(key)
    merged.set(key, { code, service: place, agent, calls: before ? together([before.calls, calls]) : calls })
  }
  return [...merged.values()].sort((a, b) => b.calls.count - a.calls.count)
}

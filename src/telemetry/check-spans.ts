import type { DenyCode, PolicyReference, Role } from '../base/model/decision.ts'
import { type EntityUid, formatEntityUid } from '../base/model/entity-uid.ts'
import type { Span, SpanAttributes, SpanContext } from './span.ts'
import { spanAttributes as names } from './span-attributes.ts'

/** The parts of a decision's record that spans contain. Users have the same names as in records. */
export type TracedDecision = {
  readonly decisionId: string
  readonly outcome: 'allow' | 'observed' | 'deny'
  readonly code?: DenyCode | undefined
  readonly txn?: string | undefined
  readonly jtiIn?: string | undefined
  readonly jtiOut?: string | undefined
  readonly caller?: { readonly id: string; readonly isIngress: boolean } | undefined
  readonly service?: { readonly name: string } | undefined
  readonly request?: { readonly method: string } | undefined
  readonly target?: { readonly action: EntityUid; readonly resource: EntityUid } | undefined
  readonly chain?:
    | { readonly kind: 'none' }
    | {
        readonly kind: 'first-hop' | 'delegated'
        readonly subject: { readonly issuerName: string; readonly id: string }
        /** Latest first. */
        readonly actors?: readonly { readonly id: string }[]
      }
    | undefined
  readonly results: readonly TracedResult[]
  readonly policyRevision?: string | undefined
  readonly pseudonymized?: true | undefined
}

type TracedResult = {
  readonly principal: EntityUid
  readonly role: Role
  readonly outcome: string
  readonly policies: readonly PolicyReference[]
}

/** A step with start and end, in milliseconds of one clock. */
export type Step = { readonly name: string; readonly startedMs: number; readonly endedMs: number }

/** The position of a check's spans in its trace. */
export type Placement = SpanContext & {
  readonly parent: Span['parent']
  readonly traceState: string | undefined
  /** The check that minted the presented chain. */
  readonly link: SpanContext | undefined
}

/** The times of a check: the whole, its steps, and the newly judged principals in the order of the results. */
export type Timeline = Step & { readonly steps: readonly Step[]; readonly evaluations: readonly Step[] }

/** The parent step of the principals. */
export const judgeStep = 'judge'

/** Returns the spans of one check: the check, its steps, and the policies' answers as children of the judgement. */
export function toSpans(
  decision: TracedDecision,
  timeline: Timeline,
  place: Placement,
  createSpanId: () => string,
): readonly Span[] {
  const { traceId } = place
  const child = (step: Step, parentId: string, attributes: SpanAttributes): Span => {
    const { name, startedMs, endedMs } = step
    const parent = { spanId: parentId, isRemote: false }
    return {
      ...{ traceId, spanId: createSpanId(), kind: 'internal', parent, name, startedMs, endedMs },
      ...{ attributes, links: [] },
    }
  }
  const steps = timeline.steps.map((step) => child(step, place.spanId, { [names.kind]: 'CHAIN' }))
  const judged = steps.find(({ name }) => name === judgeStep)
  const principals =
    judged === undefined
      ? []
      : toPrincipals(decision, timeline, judged).map(({ step, attributes }) =>
          child(step, judged.spanId, attributes),
        )
  return [toCheckSpan(decision, timeline, place), ...steps, ...principals]
}

function toCheckSpan(decision: TracedDecision, { startedMs, endedMs }: Timeline, place: Placement): Span {
  const { traceId, spanId, parent, traceState, link } = place
  const error = decision.code !== undefined && ourFaults.has(decision.code) ? decision.code : undefined
  return {
    ...{ traceId, spanId, parent, traceState, kind: 'server', name: toName(decision), startedMs, endedMs },
    ...{ error, attributes: toAttributes(decision, error), links: link === undefined ? [] : [link] },
  }
}

/** Few distinct values: the outcome, and actions and services of the catalog. */
function toName({ outcome, target, service }: TracedDecision): string {
  const what = target === undefined ? '' : ` ${target.action.id}`
  return `${outcome}${what} on ${service?.name ?? 'an unknown service'}`
}

/**
 * Refusals that are faults of Waywarden. Any other refusal is an answer, like 403 in OpenTelemetry's server conventions.
 */
const ourFaults: ReadonlySet<DenyCode> = new Set<DenyCode>([
  'policy_error',
  'policy_unavailable',
  'overloaded',
  'deadline_exceeded',
  'audit_unavailable',
  'internal_error',
])

function toAttributes(decision: TracedDecision, error: string | undefined): SpanAttributes {
  const { chain, caller, target, service, results } = decision
  const subject = chain === undefined || chain.kind === 'none' ? undefined : chain.subject
  const user = subject && `${subject.issuerName}/${subject.id}`
  const path = toPath(decision)
  const refusing = results.filter(({ outcome }) => outcome !== 'permit')
  return defined({
    [names.rpcSystem]: 'grpc',
    [names.rpcMethod]: 'envoy.service.auth.v3.Authorization/Check',
    [names.rpcStatus]: 'OK',
    [names.errorType]: error,
    // A connection without HTTP has none.
    [names.httpMethod]: decision.request?.method || undefined,
    [names.sessionId]: decision.txn,
    [decision.pseudonymized === true ? names.pseudonym : names.user]: user,
    [names.agent]: caller?.isIngress === false ? caller.id : undefined,
    [names.kind]: 'GUARDRAIL',
    [names.input]: `${[...path.map(shorten), service?.name ?? '?'].join(' → ')}${toWish(target)}`,
    [names.inputType]: 'text/plain',
    [names.output]: [toVerdict(decision), ...refusing.map(toRefusal)].join('; '),
    [names.outputType]: 'text/plain',
    [names.decisionId]: decision.decisionId,
    [names.outcome]: decision.outcome,
    [names.code]: decision.code,
    [names.service]: service?.name,
    [names.action]: target?.action.id,
    [names.resource]: target && formatEntityUid(target.resource),
    [names.txn]: decision.txn,
    [names.jtiIn]: decision.jtiIn,
    [names.jtiOut]: decision.jtiOut,
    [names.chain]: path,
    [names.deniedBy]: refusing.length === 0 ? undefined : refusing.map(({ principal }) => principal.id),
    [names.revision]: decision.policyRevision,
  })
}

/** Returns the user, earlier actors and the caller, in the order in which they acted. */
function toPath({ chain, caller }: TracedDecision): readonly string[] {
  const called = caller === undefined ? [] : [caller.id]
  if (chain === undefined || chain.kind === 'none') return called
  const { subject, actors = [] } = chain
  const acted = actors.map(({ id }) => id).toReversed()
  // An ingress peer only passes on the user's request and is no actor.
  const acting = caller?.isIngress === true ? [] : called
  return [`${subject.issuerName}/${subject.id}`, ...acted, ...acting]
}

function toWish(target: TracedDecision['target']): string {
  return target === undefined ? '' : `: ${target.action.id} ${formatEntityUid(target.resource)}`
}

function toVerdict({ outcome, code }: TracedDecision): string {
  return code === undefined ? outcome : `${outcome}: ${code}`
}

function toRefusal({ principal, role, outcome, policies }: TracedResult): string {
  const by = policies.map(({ id }) => id).join(', ')
  return `${role} ${shorten(principal.id)} ${outcome}${by === '' ? '' : ` (${by})`}`
}

function toPrincipals(
  { results }: TracedDecision,
  { evaluations }: Timeline,
  judged: Span,
): readonly { readonly step: Step; readonly attributes: SpanAttributes }[] {
  // A cached judgement evaluated nothing, so its principals have no duration and only keep their order.
  const isRemembered = evaluations.length !== results.length
  return results.map(({ principal, role, outcome, policies }, index) => {
    const measured = isRemembered ? undefined : evaluations[index]
    const orderedMs = judged.startedMs + index / 1000
    const { startedMs, endedMs } = measured ?? { startedMs: orderedMs, endedMs: orderedMs }
    const attributes = {
      [names.kind]: 'GUARDRAIL',
      [names.principal]: formatEntityUid(principal),
      [names.role]: role,
      [names.permission]: outcome,
      [names.policies]: policies.map(({ id, line }) => `${id}:${line}`),
      [names.remembered]: isRemembered,
      [names.input]: shorten(principal.id),
      [names.inputType]: 'text/plain',
      [names.output]: [outcome, ...policies.map(({ id }) => id)].join(' '),
      [names.outputType]: 'text/plain',
    }
    return { step: { name: `${role}: ${outcome}`, startedMs, endedMs }, attributes }
  })
}

/** Shortens `spiffe://hospital.example/ns/billing/sa/agent-a` to `billing/agent-a` for people. */
function shorten(id: string): string {
  const [, namespace, account] = /^spiffe:\/\/[^/]+\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(id) ?? []
  return namespace === undefined || account === undefined ? id : `${namespace}/${account}`
}

function defined(attributes: Readonly<Record<string, SpanAttributes[string] | undefined>>): SpanAttributes {
  return Object.fromEntries(
    Object.entries(attributes).filter(
      (entry): entry is [string, SpanAttributes[string]] => entry[1] !== undefined,
    ),
  )
}

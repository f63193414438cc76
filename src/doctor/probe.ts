import type { Finding } from './finding.ts'

/** The answer to a request through the waypoint. */
export type ProbeAnswer = {
  readonly status: number
  readonly decisionId: string | undefined
  readonly contentType: string | undefined
  readonly body: string
}

/** An honest request, and the same request with lies; `undefined` if nothing answered. */
export type ProbeView = {
  readonly url: string
  readonly honest: ProbeAnswer | undefined
  /** With a forged `x-forwarded-client-cert`, well-formed and broken. */
  readonly forged: readonly (ProbeAnswer | undefined)[]
  /** With the `Host` of another service, and with an unknown one. */
  readonly lying: readonly (ProbeAnswer | undefined)[]
}

/** Checks that Waywarden was asked and knew the caller, and that the lies changed nothing. */
export function probeFindings({ url, honest, forged, lying }: ProbeView): readonly Finding[] {
  const baseline = honest && toVerdict(honest)
  if (honest === undefined || baseline === undefined || [...forged, ...lying].includes(undefined))
    return [failed(url)]
  if (baseline.decisionId === undefined) return [unasked(url, honest)]
  const findings: Finding[] = []
  if (baseline.code?.startsWith('peer_') || baseline.code === 'waypoint_unknown')
    findings.push(unknownCaller(url, baseline.code))
  if (forged.some((answer) => differs(answer, honest))) findings.push(believedHeader(url))
  if (lying.some((answer) => differs(answer, honest))) findings.push(believedHost(url))
  return findings
}

/** The body of Envoy's RBAC filter. With it istiod refuses all requests if a policy names an unknown provider. */
const providerMissing = 'RBAC: access denied'

type Verdict = {
  readonly status: number
  readonly decisionId: string | undefined
  readonly code: string | undefined
}

/** A refusal is Waywarden's only if header and body name the same decision. */
function toVerdict({ status, decisionId, contentType, body }: ProbeAnswer): Verdict {
  if (contentType !== 'application/problem+json') return { status, decisionId, code: undefined }
  const problem = parseProblem(body)
  return {
    status,
    decisionId: problem.decisionId === decisionId ? decisionId : undefined,
    code: problem.code,
  }
}

function parseProblem(body: string): { readonly code?: string; readonly decisionId?: string } {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value !== 'object' || value === null) return {}
    const { code, decisionId } = value as { readonly code?: unknown; readonly decisionId?: unknown }
    return {
      ...(typeof code === 'string' ? { code } : {}),
      ...(typeof decisionId === 'string' ? { decisionId } : {}),
    }
  } catch {
    return {}
  }
}

function differs(answer: ProbeAnswer | undefined, honest: ProbeAnswer): boolean {
  if (answer === undefined) return true
  const [one, other] = [toVerdict(answer), toVerdict(honest)]
  return one.decisionId === undefined || one.status !== other.status || one.code !== other.code
}

function failed(where: string): Finding {
  return {
    id: 'probe_failed',
    severity: 'error',
    what: 'a request got no answer',
    where,
    why: 'nothing is known of the way through the waypoint; an L4 policy that closes the way around it looks like this, too',
    fix: 'kubectl -n <namespace> debug pod/<pod> -it --image=waywarden:0.1.0 --arguments-only -- doctor --probe <url>',
  }
}

function unasked(where: string, { status, body }: ProbeAnswer): Finding {
  const refused = {
    id: 'probe_not_answered',
    severity: 'error',
    where,
    fix: 'waywarden doctor --kubectl - --admin <url>   # provider, port, our L4 policy, readiness',
  } as const
  if (status >= 400 && body === '')
    return {
      ...refused,
      what: `the waypoint itself answered ${status} with an empty body`,
      why: 'it asks Waywarden and gets no answer in time: every request is refused',
    }
  if (status === 403 && body === providerMissing)
    return {
      ...refused,
      what: `the waypoint itself answered \`${providerMissing}\``,
      why: 'its policy names a provider that istiod does not have, so every request is refused without asking Waywarden',
    }
  return {
    id: 'probe_unguarded',
    severity: 'error',
    what: `it answered ${status} without a decision of Waywarden`,
    where,
    why: 'Waywarden was not asked: this path is open to every caller',
    fix: 'waywarden doctor   # enrolment, policy and bypass',
  }
}

function unknownCaller(where: string, code: string): Finding {
  return {
    id: 'probe_identity',
    severity: 'error',
    what: `Waywarden was asked and does not know who calls: \`${code}\``,
    where,
    why: 'every request is refused, from every caller',
    fix: 'kubectl annotate gateway <waypoint> ambient.istio.io/xfcc-include-client-identity=true   # and see `waywarden why` for the reason',
  }
}

function believedHeader(where: string): Finding {
  return {
    id: 'probe_header_believed',
    severity: 'error',
    what: 'a forged `x-forwarded-client-cert` changed the answer',
    where,
    why: 'a client can pose as any other: its own header reaches Waywarden as the proven caller',
    fix: 'expose listeners with `peer: xfcc` to annotated waypoints only; gateways and sidecars need `peer: principal`',
  }
}

function believedHost(where: string): Finding {
  return {
    id: 'probe_host_believed',
    severity: 'error',
    what: 'a false `Host` changed the answer',
    where,
    why: 'the service must follow from the destination of the request; here the client chooses which policies apply',
    fix: 'look for an HTTPRoute or EnvoyFilter of the waypoint that routes by host before Waywarden is asked',
  }
}

import { type Pseudonymize, withPseudonym } from '../audit/format/pseudonym.ts'
import { toRecord } from '../audit/format/to-record.ts'
import type { CheckInput } from '../base/model/check-input.ts'
import { type Deny, isDeny } from '../base/model/decision.ts'
import type { Report } from '../base/model/event.ts'
import type { RecordParts } from '../base/model/record-parts.ts'
import type { CheckShell, CheckTrace } from '../decision/check/check.ts'
import type { Step } from '../telemetry/check-spans.ts'
import type { Tracer, Watch } from '../telemetry/tracer.ts'

/**
 * Traces the checks of a listener. Span data comes from the decision's record: users have the same names as in records,
 * and there is no token.
 */
export function createCheckTracing(
  tracer: Tracer,
  chainHeader: string,
  pseudonymize: Pseudonymize | undefined,
  report: Report,
): NonNullable<CheckShell['trace']> {
  return (input, receivedMs) => {
    const watch = begin(tracer, input, chainHeader, receivedMs)
    if (watch === undefined) return undefined
    watch.steps.push({ name: 'decode', startedMs: receivedMs, endedMs: tracer.elapsedMs() })
    return {
      stopwatch: {
        step: (name) => startStep(name, watch.steps, tracer),
        evaluation: (role) => startStep(role, watch.evaluations, tracer),
      },
      end(parts, outcome) {
        try {
          end(outcome, parts, watch, tracer, pseudonymize)
        } catch (cause) {
          // Tracing must never change the traced check.
          report({ kind: 'fault', where: 'app/traced', cause })
        }
      },
    }
  }
}

function begin(
  tracer: Tracer,
  input: CheckInput | Deny,
  chainHeader: string,
  receivedMs: number,
): Watch | undefined {
  if (isDeny(input)) return tracer.begin(new Map(), undefined, receivedMs)
  return tracer.begin(input.headers, input.headers.get(chainHeader)?.at(-1), receivedMs)
}

function end(
  outcome: Parameters<CheckTrace['end']>[1],
  parts: RecordParts,
  watch: Watch,
  tracer: Tracer,
  pseudonymize: Pseudonymize | undefined,
): void {
  const { chain, onward } = parts
  const parent = chain?.kind === 'delegated' ? chain : undefined
  const ids = { outcome, txn: parent?.txn ?? onward?.txn, jtiIn: parent?.jti, jtiOut: onward?.jti }
  tracer.end(watch, ids, () => {
    const record = toRecord(parts)
    return pseudonymize === undefined ? record : withPseudonym(record, pseudonymize)
  })
}

/** Starts a step; the returned function ends it. */
function startStep(name: string, steps: Step[], tracer: Tracer): () => void {
  const startedMs = tracer.elapsedMs()
  return () => void steps.push({ name, startedMs, endedMs: tracer.elapsedMs() })
}

import type { Outcome } from '../authoring/outcome.ts'

/** Formats a kind of request that two revisions decide differently; `count` is the number of requests. */
export function formatDifference(
  {
    before,
    after,
    service,
    action,
    caller,
  }: {
    readonly before: Outcome
    readonly after: Outcome
    readonly service: string
    readonly action: string
    readonly caller: string
  },
  count: string,
): readonly string[] {
  const mark = after.decision === 'allow' ? 'OPENS ' : before.decision === 'allow' ? 'CLOSES' : 'other '
  return [
    `${mark} ${service} ${action} for ${caller}: ${count}`,
    `       - ${formatOutcome(before)}`,
    `       + ${formatOutcome(after)}`,
  ]
}

function formatOutcome({ decision, deniedBy, policies }: Outcome): string {
  const who = deniedBy.length === 0 ? '' : ` by ${deniedBy.join(', ')}`
  return `${decision}${who}${policies.length === 0 ? '' : ` (${policies.join(', ')})`}`
}

import type { ShadowDifference } from '../audit/format/shadow-line.ts'
import type { ShadowSummary } from '../explain/shadow-report.ts'
import { formatDifference } from './outcome-text.ts'

const maxRows = 20
const shownLength = 12

/** Formats the differing decisions of one shadow revision for people. */
export function formatShadow(summary: ShadowSummary): readonly string[] {
  const { live, shadow, since, until, judged, dropped, differences, cut } = summary
  const different = differences.reduce((sum, { count }) => sum + count, cut)
  const left = differences.length - maxRows
  return [
    '',
    `SHADOW: differences of revision ${shorten(shadow)} from ${shorten(live)}`,
    '',
    `  ${judged} checks judged again, ${since} to ${until}: ${different === 0 ? 'none differs' : `${different} differ (${((100 * different) / judged).toFixed(1)} %)`}`,
    ...(dropped === 0 ? [] : [`  ${dropped} more were dropped: too many at once`]),
    ...differences.slice(0, maxRows).flatMap(formatRow),
    ...(left > 0 ? [`  and ${left} less frequent kinds; \`--json\` lists them`] : []),
    ...(cut === 0 ? [] : [`  ${cut} more of too many different kinds`]),
  ]
}

function formatRow({ count, examples, ...difference }: ShadowDifference): readonly string[] {
  const lines = [...formatDifference(difference, `${count} checks`), `       such as ${examples.join(', ')}`]
  return ['', ...lines.map((line) => `  ${line}`)]
}

function shorten(revision: string): string {
  return revision.slice(0, shownLength)
}

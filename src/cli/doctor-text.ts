import { formatCount } from '../base/text/count.ts'
import type { Finding } from '../doctor/finding.ts'

/** The findings of the doctor, and what it did not check. */
export type Report = { readonly findings: readonly Finding[]; readonly notes: readonly string[] }

/** Formats the report for people: the findings, worst first, each with its remedy; then a verdict. */
export function formatReport({ findings, notes }: Report): readonly string[] {
  return [
    ...findings.flatMap(formatFinding),
    ...notes.map((note) => `not checked: ${note}`),
    ...(notes.length > 0 ? [''] : []),
    formatVerdict(findings),
  ]
}

function formatFinding({ severity, id, where, what, why, fix }: Finding): readonly string[] {
  const [first = '', ...rest] = fix.split('\n')
  return [
    `${severity.toUpperCase().padEnd(8)} ${id}  ${where}`,
    `  what   ${what}`,
    `  why    ${why}`,
    `  fix    ${first}`,
    ...rest.map((line) => `         ${line}`),
    '',
  ]
}

function formatVerdict(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const warnings = findings.length - errors
  if (findings.length === 0) return 'healthy: no problem was found'
  const counts = [count(errors, 'error'), count(warnings, 'warning')].filter((text) => text !== '').join(', ')
  return errors > 0 ? `NOT HEALTHY: ${counts}` : `healthy, with ${counts}`
}

function count(number: number, noun: string): string {
  if (number === 0) return ''
  return formatCount(number, noun)
}

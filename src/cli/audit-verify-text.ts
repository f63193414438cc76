import type { Verification, VerifiedLog } from '../audit/verify/verify.ts'
import { formatCount } from '../base/text/count.ts'
import { paint, type Terminal, toLine } from './terminal.ts'

/** The given keys and checkpoints. */
type Known = { readonly hasKey: boolean; readonly hasCheckpoints: boolean }

/** Formats a verification for people: each log, the flaws, the verdict, and what it does not prove. */
export function formatVerification(
  { logs, problems }: Verification,
  { hasKey, hasCheckpoints }: Known,
  terminal: Terminal,
): readonly string[] {
  const flaws = logs.flatMap((log) => log.flaws)
  const isSigned = problems.length === 0 && flaws.every((flaw) => flaw.isSigned)
  const all = `${formatCount(total(logs, 'records'), 'record')} in ${formatCount(logs.length, 'log')}`
  const unsigned = total(logs, 'unsealedRecords')
  return [
    ...logs.flatMap((log) => formatLog(log, terminal)),
    ...problems.map((problem) => paint(problem, 'red', terminal)),
    isSigned && flaws.length === 0
      ? paint(formatSound(all, unsigned), 'green', terminal)
      : paint(isSigned ? 'as signed, but not all of it can be read' : 'NOT as signed', 'red', terminal),
    ...(hasKey
      ? []
      : ['the key was found beside the log, and write access to the log includes it; use `--key`']),
    ...(hasCheckpoints
      ? []
      : ['no exported checkpoint was given, so a truncated last log cannot be detected; use `--checkpoint`']),
  ]
}

function formatSound(all: string, unsigned: number): string {
  if (unsigned === 0) return `OK: ${all}, as signed`
  return `OK so far: ${all}, as signed, except ${unsigned} that ${unsigned === 1 ? 'is' : 'are'} not signed yet`
}

function total(logs: readonly VerifiedLog[], what: 'records' | 'unsealedRecords'): number {
  return logs.reduce((sum, { verdict }) => sum + verdict[what], 0)
}

function formatLog({ log, verdict, flaws, notes }: VerifiedLog, terminal: Terminal): readonly string[] {
  const { beginsAt, size, records, checkpoint, isEnded } = verdict
  const parts = [
    size === beginsAt ? 'no lines' : `${formatCount(records, 'record')} in lines ${beginsAt} to ${size - 1}`,
    checkpoint === undefined ? 'no checkpoint' : `signed up to line ${checkpoint.size - 1}`,
    ...(isEnded ? ['closed by its process'] : []),
  ]
  return [
    toLine(`${log}: ${parts.join(', ')}`),
    ...notes.map((note) => paint(`  ${note}`, 'dim', terminal)),
    ...flaws.map(({ file, line, index, message }) => {
      const where = line === 0 ? file : `${file}:${line} (line ${index} of the log)`
      return paint(`  ${where} ${message}`, 'red', terminal)
    }),
  ]
}

/**
 * The proof of a record, best first. `signed`: by a checkpoint of its log. `followed`: only by the next log, because the
 * writer was killed before it could sign. `unsigned`: not yet. `claimed`: never, because it comes from no log.
 */
export const proofLevels = ['signed', 'followed', 'unsigned', 'claimed'] as const

/** The proof level of a record. */
export type ProofLevel = (typeof proofLevels)[number]

/** True if a record of a decision replaces one that was read earlier: if it is at least as well proven. */
export function supersedes(standing: ProofLevel, before: ProofLevel | undefined): boolean {
  return before === undefined || proofLevels.indexOf(standing) <= proofLevels.indexOf(before)
}

/**
 * How far a record is proven, from the best: by a checkpoint of its log; only by the log that came after, because its writer was
 * killed before it could sign; not yet; or not at all, because it comes from no log.
 */
export const proofLevels = ['signed', 'followed', 'unsigned', 'claimed'] as const

/** How far a record is proven. */
export type ProofLevel = (typeof proofLevels)[number]

/** Whether one record of a decision counts before another that was read earlier: if it is proven as well, the later one does. */
export function supersedes(standing: ProofLevel, before: ProofLevel | undefined): boolean {
  return before === undefined || proofLevels.indexOf(standing) <= proofLevels.indexOf(before)
}

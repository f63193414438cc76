/** The number of names to list when there may be thousands. */
export const fewNames = 10

/** Lists the first names and the number of the others, so that a message about each of many stays short. */
export function listFew(names: readonly string[], total: number = names.length): string {
  const shown = names.slice(0, fewNames).join(', ')
  return total > fewNames ? `${shown} and ${total - fewNames} more` : shown
}

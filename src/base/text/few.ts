/** How many names are listed where there may be thousands. */
export const fewNames = 10

/** The first few names of a list, and how many more there are: what is said of each of many must not name all the others. */
export function listFew(names: readonly string[], total: number = names.length): string {
  const shown = names.slice(0, fewNames).join(', ')
  return total > fewNames ? `${shown} and ${total - fewNames} more` : shown
}

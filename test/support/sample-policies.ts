import { cpSync } from 'node:fs'
import { join } from 'node:path'

const tests = join('policies', 'tests')

/**
 * Copies the sample repository but its tests, which would be run before it serves, and would refuse what a test makes of it.
 * Without `force`, files that lie there already stay.
 */
export function copyPolicies(directory: string, { force = true }: { readonly force?: boolean } = {}): void {
  cpSync('policies', directory, { recursive: true, force, filter: (path) => path !== tests })
}

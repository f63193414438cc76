import type { PolicyFiles } from '../../src/policy/source/policy-files.ts'
import type { Found, PolicySource, Unusable } from '../../src/policy/source/policy-source.ts'

/** A source that says what it is told to say. */
export function createScript(): { -readonly [Key in keyof PolicySource]: PolicySource[Key] } & {
  says: Found | Unusable
  recalls: Awaited<ReturnType<PolicySource['recall']>>
} {
  return {
    name: 'script',
    says: { kind: 'failed', problems: [{ file: 'script', message: 'nobody answers' }] },
    recalls: undefined,
    async recall() {
      return this.recalls
    },
    async look() {
      return this.says
    },
    accept: async () => {},
    intervalMs: 3_600_000,
    close: () => {},
  }
}

/** The content of such a source: these files, overlaid. */
export function found(files: PolicyFiles, overlay: Partial<Found> = {}): Found {
  return { kind: 'found', files, pinned: undefined, notices: [], ...overlay }
}

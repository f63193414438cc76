import { expect } from 'chai'
import { loadRevision } from '../../src/policy/revision/load.ts'
import { problemsOf } from './forge.ts'
import { policyFiles } from './policy-files.ts'

/** A policy repository with something wrong in it: files over those that load, and where and how the problem is named. */
export type RefusedRepository = {
  readonly name: string
  readonly files: Readonly<Record<string, string | undefined>>
  /** `file` or `file:line`. */
  readonly at: string
  readonly mentions: RegExp
}

/** One test: loading refuses the repository and says where. */
export function itRefuses({ name, files, at, mentions }: RefusedRepository): void {
  it(`refuses ${name}, and says where`, () => {
    const problems = problemsOf(loadRevision(policyFiles(files)))
    const places = problems.flatMap(({ file, line }) => [file, `${file}:${line}`])
    expect(places).to.include(at)
    expect(problems.map(({ message }) => message).join('\n')).to.match(mentions)
  })
}

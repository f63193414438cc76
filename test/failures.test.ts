import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { type BrokenShapes, findBrokenShapes } from './support/failure-shapes.ts'

const file = 'server/recorder.ts'
const imports = `
import { type Problem } from '../base/document/problem.ts'
import { type Deny } from '../base/model/decision.ts'
import { isFailure } from '../base/model/failure.ts'
import { type Fault } from '../base/model/fault.ts'
import { type Invalid, isInvalid } from '../base/model/invalid.ts'
import { isProblems, type Problems } from '../base/model/problems.ts'
import { type Revision } from '../policy/revision/revision.ts'
type Loaded = Revision | Problems<Problem> | Fault
`

/** Ways to tell a failure otherwise than by its kind: a declaration of this name that takes it. */
const ways: Readonly<Record<keyof BrokenShapes, Readonly<Record<string, string>>>> = {
  probes: {
    byFieldOfFailure: "(loaded: Loaded) => 'problems' in loaded",
    byFieldOfSuccess: "(loaded: Loaded) => !('evaluate' in loaded)",
    byKindItself: "(loaded: Revision | Fault) => 'kind' in loaded",
    byComputedField: "(loaded: Loaded, field: 'problems' | 'reason') => field in loaded",
    byList: '(found: readonly Problem[] | Revision) => Array.isArray(found)',
    byListOfLists: '(found: readonly Problem[] | string) => Array.isArray(found)',
    byTypeof: "(text: string | Invalid) => typeof text !== 'string'",
    byTypeofObject: "(text: number | Fault | undefined) => typeof text === 'object'",
    byTypeofFunction: "(found: (() => void) | Invalid) => typeof found === 'function'",
    byClass: '(bytes: Uint8Array | Deny) => bytes instanceof Uint8Array',
    byBuffer: '(bytes: Buffer | Fault) => Buffer.isBuffer(bytes)',
    byOwn: "(loaded: Loaded) => Object.hasOwn(loaded, 'problems')",
    byOldOwn: "(loaded: Loaded) => Object.prototype.hasOwnProperty.call(loaded, 'problems')",
    byMethodOwn: "(loaded: Loaded) => loaded.hasOwnProperty('problems')",
    byReflection: "(loaded: Loaded) => Reflect.has(loaded, 'problems')",
    byReading: "(loaded: Loaded) => Reflect.get(loaded, 'problems') !== undefined",
    byNames: "(loaded: Loaded) => Object.keys(loaded).includes('problems')",
    byPredicate: '(text: Fault | { readonly text: string }) => hasText(text)',
    hasText: "(value: object): value is { readonly text: string } => 'text' in value",
    bySwitch:
      "(text: string | Invalid) => { switch (typeof text) { case 'string': return 0; default: return 1 } }",
    afterWait: "async (loading: Promise<string | Fault>) => typeof (await loading) === 'string'",
  },
  returns: {
    asText: '(found: Revision): Revision | string => found',
    asTextBesideMap: '(found: ReadonlyMap<string, string>): ReadonlyMap<string, string> | string => found',
    asList: '(found: Revision): Revision | readonly Problem[] => found',
    asObject: '(found: Revision): Revision | { readonly problem: string } => found',
    asPromised: 'async (found: Revision): Promise<Revision | { readonly problem: string }> => found',
    asError: '(found: Revision): Revision | Error => found',
    asType: 'null as unknown as (id: string) => Revision | readonly string[]',
  },
  guards: {
    ofAnything: '(value: unknown) => isFailure(value)',
    ofObject: '(value: object) => isInvalid(value)',
    ofRecord: '(value: { readonly kind: string } | Invalid) => isInvalid(value)',
    ofParameter: 'function <T>(value: T | Invalid) { return isInvalid(value) }',
    ofSuccess: "(value: { readonly kind: 'problems' | 'found' }) => isProblems(value)",
  },
}

describe('the one shape of failure', () => {
  let here: BrokenShapes
  let planted: BrokenShapes

  before(() => {
    const declarations = Object.values(ways)
      .flatMap((each) => Object.entries(each))
      .map(([name, text]) => `export const ${name} = ${text}\n`)
    here = findBrokenShapes()
    planted = findBrokenShapes(
      new Map([[`src/${file}`, [readFileSync(`src/${file}`, 'utf8'), imports, ...declarations].join('\n')]]),
    )
  })

  it('is told by `kind`, never by a field, a list, a class or `typeof`', () => {
    expect(here.probes).to.deep.equal([])
  })

  it('has a `kind` in everything that a function returns beside a success', () => {
    expect(here.returns).to.deep.equal([])
  })

  it('cannot be mistaken: no value that a guard reads has the `kind` of a failure without being one', () => {
    expect(here.guards).to.deep.equal([])
  })

  for (const [rule, declarations] of Object.entries(ways))
    for (const name of Object.keys(declarations)) {
      it(`shows ${name} among what breaks it`, () => {
        const found = Object.entries(planted).flatMap(([key, places]) => (key === rule ? places : []))
        expect(found.map((place) => place.slice(0, place.indexOf(':')))).to.include(`${file}#${name}`)
      })
    }
})

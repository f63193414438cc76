import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { type Doings, findDoings } from './support/asking-code.ts'

/** All declarations that ask policies; `judge` alone of those outside policy/. */
const asking = [
  'decision/check/judge.ts#judge',
  'policy/cedar/engine.ts#createEngine',
  'policy/cedar/engine.ts#parseAnswer',
  'policy/cedar/engine.ts#readAnswer',
  'policy/cedar/engine.ts#warm',
  'policy/revision/rehearsal.ts#rehearse',
  'policy/revision/revision.ts#createInterning',
  'policy/revision/revision.ts#createRevision',
  'policy/revision/revision.ts#watchRevision',
]

/** Ways past `judge`: a declaration of this name that takes it, and where it stands if not in `outside`. */
const ways: readonly { readonly name: string; readonly text: string; readonly file?: string }[] = [
  { name: 'byName', text: '(revision: Revision, query: Query) => revision.evaluate(query)' },
  { name: 'byBracket', text: "(revision: Revision, query: Query) => revision['evaluate'](query)" },
  { name: 'byOptional', text: '(revision: Revision | undefined, query: Query) => revision?.evaluate(query)' },
  {
    name: 'byConstant',
    text: "(revision: Revision, query: Query) => { const key = 'evaluate'; return revision[key](query) }",
  },
  {
    name: 'byAnyKey',
    text: `(revision: Revision, key: keyof Revision, query: Query) => {
      const part = revision[key]
      return typeof part === 'function' && part.length === 1 ? part(query) : undefined
    }`,
  },
  {
    name: 'byDestructuring',
    text: '(revision: Revision, query: Query) => { const { evaluate } = revision; return evaluate(query) }',
  },
  { name: 'byParameter', text: '({ evaluate: say }: Revision, query: Query) => say(query)' },
  { name: 'byAlias', text: '(revision: Revision) => { const say = revision.evaluate; return say }' },
  { name: 'byHandingOn', text: '(revision: Revision, all: readonly Query[]) => all.map(revision.evaluate)' },
  { name: 'byBinding', text: '(revision: Revision) => revision.evaluate.bind(revision)' },
  { name: 'byOtherType', text: '(judge: Judge, query: Query) => judge.evaluate(query)' },
  {
    name: 'byReflection',
    text: "(revision: Revision, query: Query) => Reflect.get(revision, 'evaluate')(query)",
  },
  {
    name: 'byDescriptor',
    text: "(revision: Revision, query: Query) => Object.getOwnPropertyDescriptor(revision, 'evaluate')?.value(query)",
  },
  {
    name: 'byListing',
    text: `(revision: Revision, query: Query) =>
      Object.values(revision).map((part) => (typeof part === 'function' ? part(query) : undefined))`,
  },
  {
    name: 'byUnknown',
    text: `(parts: Readonly<Record<string, unknown>>, query: Query) => {
      const part = parts['evaluate']
      return typeof part === 'function' ? part(query) : undefined
    }`,
  },
  { name: 'byReexport', text: '(revision: Revision, query: Query) => askDirectly(revision, query)' },
  { name: 'byNamespace', text: '(revision: Revision, query: Query) => all.askDirectly(revision, query)' },
  {
    name: 'byImport',
    text: "async (revision: Revision, query: Query) => (await import('../policy/revision/revision.ts')).askDirectly(revision, query)",
  },
  {
    name: 'byFake',
    text: `(caller: Caller, chain: Chain, target: Target, principal: EntityUid) =>
      judge(caller, chain, target, {
        evaluate: ({ role }) => ({ principal, role, outcome: 'permit', determiningPolicies: [], errors: [] }),
      })`,
  },
  {
    name: 'byFakeMethod',
    text: `(caller: Caller, chain: Chain, target: Target, principal: EntityUid) =>
      judge(caller, chain, target, {
        evaluate({ role }) {
          return { principal, role, outcome: 'permit', determiningPolicies: [], errors: [] }
        },
      })`,
  },
  {
    name: 'byEngine',
    text: '(engine: Engine, call: CedarCall, slice: Slice) => engine.evaluate(call, slice)',
  },
  {
    name: 'askDirectly',
    text: '(revision: Revision, query: Query) => revision.evaluate(query)',
    file: 'policy/revision/revision.ts',
  },
  {
    name: 'isPermitted',
    text: "(revision: Revision, query: Query): boolean => revision.evaluate(query).outcome === 'permit'",
    file: 'policy/revision/revision.ts',
  },
]

const outside = 'server/recorder.ts'
const imports = `
import { type Judge, judge } from '../decision/check/judge.ts'
import type { Caller } from '../base/model/caller.ts'
import type { Chain } from '../base/model/chain.ts'
import type { EntityUid } from '../base/model/entity-uid.ts'
import type { Target } from '../base/model/target.ts'
import type { Query } from '../base/model/query.ts'
import type { CedarCall } from '../policy/cedar/cedar-call.ts'
import type { Engine } from '../policy/cedar/engine.ts'
import type { Slice } from '../policy/cedar/slices.ts'
import { askDirectly, type Revision } from '../policy/revision/revision.ts'
import * as all from '../policy/revision/revision.ts'
export const byHand = () => ({ kind: 'permission', results: [] })
`

describe('the one way to a decision', () => {
  let here: Doings
  let planted: Doings

  before(() => {
    here = findDoings()
    planted = findDoings(
      new Map([outside, 'policy/revision/revision.ts'].map((file) => [`src/${file}`, plantIn(file)])),
    )
  })

  it('leads through judge: nothing else outside policy/ asks what policies say', () => {
    expect(here.asks).to.deep.equal(asking)
  })

  it('leaves no call of a value that could be anything', () => {
    expect(here.callsAnything).to.deep.equal([])
  })

  it('makes a permission nowhere else', () => {
    expect(here.permits).to.deep.equal(['decision/check/judge.ts#judge'])
    expect(planted.permits).to.include(`${outside}#byHand`)
  })

  for (const { name, file = outside } of ways) {
    it(`shows ${name} in ${file} as another way`, () => {
      const found = [...planted.asks, ...planted.callsAnything]
      expect(found).to.include(`${file}#${name}`)
      expect([...here.asks, ...here.callsAnything]).not.to.include(`${file}#${name}`)
    })
  }

  it('keeps the engine and Cedar inside policy/', () => {
    const near = /from '(?:[^']*\/policy\/cedar\/(?:engine|cedar|cedar-call|slices)\.ts|@cedar-policy\/.*)'/
    const outer = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && !file.startsWith('policy/'),
    )
    expect(outer.filter((file) => near.test(readFileSync(`src/${file}`, 'utf8')))).to.deep.equal([])
  })

  it('is the one that live checks, tests, explanations, lint, diffs, why and the shadow take', () => {
    const near = /from '.*\/judge\.ts'/
    const files = [
      'decision/check/remembered.ts',
      'explain/unverified-replay.ts',
      'authoring/situation.ts',
      'explain/judge-record.ts',
      'explain/explain.ts',
      'explain/counterfactuals.ts',
      'authoring/lint-chainless.ts',
      'authoring/diff.ts',
      'explain/shadow.ts',
    ]
    expect(files.filter((file) => !near.test(readFileSync(`src/${file}`, 'utf8')))).to.deep.equal([])
  })
})

/** A file of src/ with each way that stands in it. */
function plantIn(file: string): string {
  const declarations = ways
    .filter((way) => (way.file ?? outside) === file)
    .map(({ name, text }) => `export const ${name} = ${text}\n`)
  const text = readFileSync(`src/${file}`, 'utf8')
  return [text, ...declarations, ...(file === outside ? [imports] : [])].join('\n')
}

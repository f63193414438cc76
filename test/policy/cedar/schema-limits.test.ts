import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { exceedsSchemaLimits } from '../../../src/policy/cedar/schema-limits.ts'
import { loadRevision } from '../../../src/policy/revision/load.ts'
import { problemsOf } from '../../support/forge.ts'
import {
  actionLine,
  deepEntity,
  deepRecord,
  entityLine,
  hostileFiles,
  nestedTypes,
  policyWhen,
  schemaWith,
} from '../../support/hostile-files.ts'
import { policyFiles } from '../../support/policy-files.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const schema = 'schema.cedarschema'

// `policyWhen` has four operators of its own.
const longConditions = [
  `${'if true then '.repeat(73)}true${' else false'.repeat(73)}`,
  `${'if false then true else '.repeat(73)}true`,
  `${'true && '.repeat(146)}true`,
  `${'1 + '.repeat(144)}1 == 1`,
]

describe('policy/cedar/schema-limits', () => {
  for (const { name, file, text, line } of hostileFiles) {
    it(`refuses ${name} with file, line and limit`, () => {
      const problems = problemsOf(loadRevision(policyFiles({ [file]: text })))
      const [problem] = problems
      expect([problem?.file, problem?.line]).to.deep.equal([file, line])
      expect(problem?.message).to.match(/at most \d+/)
      expect(problems.map(({ message }) => message).join()).to.not.match(/stack|memory|recursion|unwrap/)
    })
  }

  for (const { name, files } of [
    { name: 'a record', files: { [schema]: schemaWith(deepRecord(32)) } },
    { name: 'a line of types', files: { [schema]: schemaWith(entityLine(65, false)) } },
    { name: 'a circle of types', files: { [schema]: schemaWith(entityLine(65, true)) } },
    { name: 'a line of actions', files: { [schema]: schemaWith(actionLine(65)) } },
    { name: 'types within each other', files: { [schema]: schemaWith(nestedTypes(256)) } },
    { name: 'an entity', files: { [schema]: schemaWith(''), 'entities.json': deepEntity(1) } },
    {
      name: 'parentheses',
      files: { 'team/a.cedar': policyWhen(`${'('.repeat(31)}true${')'.repeat(31)}`) },
    },
    ...longConditions.map((condition) => ({
      name: `\`${condition.slice(0, 12)}…\``,
      files: { 'team/a.cedar': policyWhen(condition) },
    })),
  ]) {
    it(`loads ${name} just within the limits, which the engine can bear`, () => {
      expect(loadRevision(policyFiles(files))).to.have.property('policies')
    })
  }

  // V8 does that to hot code: it needs more stack then, and when is chance.
  it('loads conditions just within the limits when the engine is optimized, too', () => {
    const directory = temporaryDirectory()
    const files = policyFiles({
      [schema]: schemaWith(`${deepRecord(32)}\n${nestedTypes(256)}`),
      ...Object.fromEntries(longConditions.map((text, at) => [`team/${at}.cedar`, policyWhen(text)])),
    }).files
    for (const [name, text] of files) {
      mkdirSync(dirname(join(directory, name)), { recursive: true })
      writeFileSync(join(directory, name), text)
    }
    const check = ['--no-liftoff', '--import', 'tsx', 'src/main.ts', 'policy', 'check', directory]
    const { status, stderr } = spawnSync(process.execPath, check, { encoding: 'utf8' })
    expect(stderr).to.not.include('engine broke')
    expect(status).to.equal(0)
  })

  for (const { name, text } of [
    { name: 'comments and strings', text: `// ${'{'.repeat(100)}\n@doc("${'['.repeat(100)}") entity A;` },
    { name: 'many types that are in one', text: `entity ${names(5000)} in [Service];` },
    { name: 'many attributes of one type', text: `type T = {${names(5000, ': Long')}};` },
    { name: 'many types that refer to few', text: line(2000, 'type', '= {a: Long, b?: Other}') },
    { name: 'a namespace', text: `namespace A { ${line(500, 'entity', 'in [B]')} }` },
    { name: 'what is no schema', text: 'entity in in in = type ; action' },
  ]) {
    it(`lets ${name} pass`, () => expect(exceedsSchemaLimits(text)).to.equal(undefined))
  }

  for (const { name, text } of [
    { name: 'names that are qualified', text: line(100, 'entity', '', (next) => ` in [A::${next}]`) },
    { name: 'one parent without brackets', text: line(100, 'entity', '', (next) => ` in ${next}`) },
    { name: 'several names at once', text: line(100, 'entity Other,', '', (next) => ` in ${next}`) },
    { name: 'namespaces', text: line(100, 'namespace A { entity', '', (next) => ` in [${next}]; } `) },
    { name: 'actions without quotes', text: line(100, 'action', '', (next) => ` in ${next}`) },
    { name: 'optional attributes', text: line(300, 'type', '', (next) => ` = {a?: ${next}}`) },
    { name: 'sets', text: line(300, 'type', '', (next) => ` = Set<${next}>`) },
    { name: 'a type declared twice', text: `type T0 = T1; ${line(300, 'type', '', (next) => ` = ${next}`)}` },
  ]) {
    it(`counts a line through ${name}`, () => {
      expect(exceedsSchemaLimits(text)).to.have.property('offset')
    })
  }
})

function names(count: number, suffix = ''): string {
  return Array.from({ length: count }, (_, index) => `N${index}${suffix}`).join(', ')
}

/** Declarations one after the other, each of which may refer to the next. */
function line(
  count: number,
  head: string,
  tail: string,
  toNext: (next: string) => string = () => '',
): string {
  return Array.from(
    { length: count },
    (_, index) => `${head} T${index} ${tail}${toNext(`T${index + 1}`)};`,
  ).join('\n')
}

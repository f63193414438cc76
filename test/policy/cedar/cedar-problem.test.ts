import { expect } from 'chai'
import { loadRevision } from '../../../src/policy/revision/load.ts'
import { problemsOf } from '../../support/forge.ts'
import { policyFiles } from '../../support/policy-files.ts'

const first = 'permit (principal, action, resource in Service::"records");\n'
const declared =
  'entity Patient in [Service];\naction "read-it" appliesTo {principal: [Agent, User, Autonomous], resource: [Patient, Service], context: RequestContext};\n'

/** A file with one mistake: the line, what the carets mark on it, and what the message says. */
const cases: readonly {
  readonly name: string
  readonly file: string
  readonly text: string
  readonly line: number
  readonly marks: string
  readonly says: RegExp
}[] = [
  {
    name: 'a policy that Cedar cannot parse',
    file: 'team/a.cedar',
    text: `// é\n${first}permit (principal, action, resource)\nwhen { principal == {; };\n`,
    line: 4,
    marks: ';',
    says: /^unexpected token `;`$/,
  },
  {
    name: 'a policy without its semicolon, after its last word',
    file: 'team/a.cedar',
    text: 'permit (principal, action, resource in Service::"records")\n\n\n',
    line: 1,
    marks: '',
    says: /^unexpected end of input, expected `;`/,
  },
  {
    name: 'an effect that is none',
    file: 'team/a.cedar',
    text: 'allow (principal, action, resource);\n',
    line: 1,
    marks: 'allow',
    says: /permit.*forbid/,
  },
  {
    name: 'an attribute that the schema does not have',
    file: 'team/a.cedar',
    text: `${first}  @id("x") permit (principal is User, action, resource in Service::"records")\nwhen { principal.salary > 7 };\n`,
    line: 3,
    marks: 'principal.salary',
    says: /^policy `team\/a\.cedar#x`: attribute `salary`/,
  },
  {
    name: 'an entity type that the schema does not have',
    file: 'team/a.cedar',
    text: `${first}permit (principal, action, resource == Patent::"x");\n`,
    line: 2,
    marks: 'Patent',
    says: /did you mean `Patient`/,
  },
  {
    name: 'a template',
    file: 'team/a.cedar',
    text: `${first}permit (principal == ?principal, action, resource);\n`,
    line: 2,
    marks: 'p',
    says: /template.*write the policy out/,
  },
  {
    name: 'brackets that are nested too deeply',
    file: 'team/a.cedar',
    text: `permit (principal, action, resource)\nwhen { ${'('.repeat(40)}true${')'.repeat(40)} };\n`,
    line: 2,
    marks: '(',
    says: /32 nested brackets/,
  },
  {
    name: 'a schema that Cedar cannot parse, without the names of its steps',
    file: 'schema.cedarschema',
    text: `// é\n${declared}entity A\naction "x";\n`,
    line: 5,
    marks: 'action',
    says: /^unexpected token `action`, expected `,`/,
  },
  {
    name: 'a schema of which the last part does not end',
    file: 'schema.cedarschema',
    text: `${declared}entity A {\n`,
    line: 3,
    marks: '',
    says: /^unexpected token/,
  },
  {
    name: 'a type that nobody declares, where it stands and not in what contains its name',
    file: 'schema.cedarschema',
    text: `${declared}entity Ward;\nentity Bed in [War];\n`,
    line: 4,
    marks: 'War',
    says: /^no type `War` is declared/,
  },
  {
    name: 'a type that is declared twice',
    file: 'schema.cedarschema',
    text: `${declared}entity Patient;\n`,
    line: 1,
    marks: 'Patient',
    says: /^`Patient` is declared twice/,
  },
]

describe('policy/cedar/cedar-problem', () => {
  for (const { name, file, text, line, marks, says } of cases) {
    it(`shows ${name}`, () => {
      const loaded = loadRevision(policyFiles({ [file]: text }))
      const problem = problemsOf(loaded).find((each) => each.file === file)
      expect(problem).to.include({ file, line })
      expect(problem?.message).to.match(says)
      const [shown = '', carets = ''] = problem?.excerpt?.split('\n') ?? []
      expect(shown.slice(carets.indexOf('^'), carets.length)).to.equal(marks)
      expect(shown.startsWith(`${line} | `)).to.equal(true)
      expect(problem?.column).to.equal(carets.indexOf('^') - `${line} | `.length + 1)
    })
  }
})

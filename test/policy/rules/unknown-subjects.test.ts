import { expect } from 'chai'
import { formatProblem } from '../../../src/base/document/problem.ts'
import { type KnownIssuer, unknownSubjects } from '../../../src/policy/rules/unknown-subjects.ts'
import { mustLoad, policyFiles } from '../../support/policy-files.ts'

const issuers: readonly KnownIssuer[] = [
  { name: 'hospital', groupsAllow: ['clinicians', '/staff/interns'] },
  { name: 'partner', groupsAllow: [] },
]

function found(names: readonly string[], known: readonly KnownIssuer[] = issuers): readonly string[] {
  const texts = names.map(
    (name) =>
      `permit (principal is User, action, resource in Service::"records") unless { principal in ${name} };`,
  )
  const { subjects } = mustLoad(policyFiles({ 'team/a.cedar': texts.join('\n') }))
  return unknownSubjects(subjects, known).map(formatProblem)
}

describe('policy/rules/unknown-subjects', () => {
  const known = [
    'Group::"hospital/clinicians"',
    'Group::"hospital//staff/interns"',
    // Which users there are only their provider knows.
    'User::"hospital/clerk"',
    'User::"partner/clerk"',
    'AgentGroup::"hospital/nobody"',
    'TrustDomain::"hosptial"',
  ]
  for (const name of known) it(`knows ${name}`, () => expect(found([name])).to.deep.equal([]))

  const noEntry = (issuer: string) =>
    `\`users\` of the configuration has no entry \`${issuer}\`, so no user is one of them`
  const unknown: readonly (readonly [name: string, message: string])[] = [
    [
      'Group::"hospital/clinicans"',
      '`groupsAllow` of `hospital` lacks `clinicans`, so no user is in it; did you mean `clinicians`?',
    ],
    [
      'Group::"hospital/staff/interns"',
      '`groupsAllow` of `hospital` lacks `staff/interns`, so no user is in it; did you mean `/staff/interns`?',
    ],
    // Names are compared exactly.
    [
      'Group::"hospital/Clinicians"',
      '`groupsAllow` of `hospital` lacks `Clinicians`, so no user is in it; did you mean `clinicians`?',
    ],
    ['Group::"partner/anything"', '`groupsAllow` of `partner` lacks `anything`, so no user is in it'],
    ['Group::"hosptial/clinicians"', `${noEntry('hosptial')}; did you mean \`hospital\`?`],
    ['User::"hosptial/clerk"', `${noEntry('hosptial')}; did you mean \`hospital\`?`],
    ['User::"elsewhere/clerk"', noEntry('elsewhere')],
  ]
  for (const [name, message] of unknown) {
    it(`does not know ${name}, and says ${message}`, () => {
      expect(found([name])).to.deep.equal([`team/a.cedar:1: ${name}: ${message}`])
    })
  }

  it('names a provider once, with how many more it would have', () => {
    expect(found(['Group::"a/x"', 'Group::"a/y"', 'User::"a/z"', 'Group::"b/x"'], [])).to.deep.equal([
      `team/a.cedar:1: Group::"a/x" and 2 more: ${noEntry('a')}`,
      `team/a.cedar:4: Group::"b/x": ${noEntry('b')}`,
    ])
  })

  it('names each group once, where it first stands, in whatever part of a policy', () => {
    const text = `permit (principal in Group::"hospital/x", action, resource in Service::"records")
when { context.chain has subject && context.chain.subject == User::"a/x" || principal in [Group::"hospital/x", Group::"hospital/y"] };`
    const { subjects } = mustLoad(policyFiles({ 'team/a.cedar': text }))
    const places = unknownSubjects(subjects, issuers).map(({ line, message }) => [
      line,
      message.split(':')[0],
    ])
    expect(places).to.have.deep.members([
      [2, 'User'],
      [1, 'Group'],
      [2, 'Group'],
    ])
  })

  it('answers in time when ten thousand groups are mistaken', () => {
    const groupsAllow = Array.from({ length: 10_000 }, (_, index) => `department-of-everything-${index}`)
    const subjects = groupsAllow.map((group) => ({
      uid: { type: 'Group', id: `hospital/${group}-x` },
      place: { file: 'a.cedar' },
    }))
    const begun = performance.now()
    const problems = unknownSubjects(subjects, [{ name: 'hospital', groupsAllow }])
    expect(problems).to.have.length(10_000)
    expect(performance.now() - begun).to.be.below(2000)
  })
})

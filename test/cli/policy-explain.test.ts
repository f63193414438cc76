import { join } from 'node:path'
import { expect } from 'chai'
import { readRecords } from '../../src/audit/read/query.ts'
import { uris } from '../support/hospital.ts'
import { chainNow, startTestApp } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

const explain = ['policy', 'explain']
const oneLine = [
  '--as',
  uris.agentD,
  '--for',
  'hospital/clerk:billing',
  'GET',
  'patient-records:8080/patients/42',
]

describe('cli/policy-explain', () => {
  it('explains one line: results, policies with text and place, what was false, what would flip it', async () => {
    const { code, out } = await run([...explain, '--via', uris.agentA, ...oneLine])
    expect(code).to.equal(0)
    for (const part of [
      'deny policy_denied',
      `✗ caller Agent::"${uris.agentD}": no-permit`,
      `✗ delegator Agent::"${uris.agentA}": no-permit`,
      'nearest: records-team/patient-records.cedar:2',
      'is false',
      'forbidden by records-team/patient-records.cedar:20',
      '    | unless { principal in Group::"hospital/clinicians" };',
      'It would be allowed with:',
    ]) {
      expect(out).to.include(part)
    }
  })

  it('prints everything for scripts', async () => {
    const { out } = await run([...explain, ...oneLine, '--json'])
    const { outcome, code, principals, flips, target, proven } = JSON.parse(out)
    expect([outcome, code, proven]).to.deep.equal(['deny', 'policy_denied', true])
    expect(principals.map(({ role }: { role: string }) => role)).to.deep.equal(['caller', 'subject'])
    expect(flips.map(({ of }: { of: string }) => of)).to.deep.equal(['chain', 'policy'])
    expect(target.service).to.equal('patient-records')
  })

  it('explains a captured CheckRequest, and says that it was believed', async () => {
    const { code, out } = await run([...explain, 'test/cases/check/second-hop.json'])
    expect(code).to.equal(0)
    expect(out)
      .to.match(/^allow\n/)
      .and.to.include('not verified')
  })

  it('explains a decision from its record, by the policies of that moment', async () => {
    const directory = temporaryDirectory()
    const audit = join(directory, 'audit')
    {
      await using app = await startTestApp(directory)
      await app.ask({
        path: '/patients/p-17',
        destinationAddress: '10.96.0.11:8080',
        headers: { 'actor-chain': chainNow() },
      })
    }
    let decisionId = ''
    for await (const line of readRecords([audit])) {
      if (line.kind === 'record') decisionId = line.record.decisionId
    }
    const { code, out } = await run([...explain, decisionId, '--audit', audit])
    expect(code).to.equal(0)
    expect(out).to.include('deny policy_denied').and.to.include(uris.agentD)
  })

  const refused: readonly (readonly [name: string, ...argv: string[]])[] = [
    ['a line without a caller', 'GET', 'insurance/coverage/1'],
    ['a file that is not there', 'absent.json'],
    ['a file that is no CheckRequest', 'package.json'],
    ['a decision that nobody recorded', 'nobody-knows', '--audit', 'policies'],
    ['too many words', 'GET', 'a/b', 'c'],
    ['two decisions', 'a', 'b', '--audit', 'policies'],
    ['policies that would not be served', ...oneLine, '--policies', 'docs'],
  ]
  for (const [name, ...argv] of refused) {
    it(`ends with 1 for ${name}`, async () => {
      const { code, err } = await run([...explain, ...argv])
      expect([code, err === '']).to.deep.equal([1, false])
    })
  }
})

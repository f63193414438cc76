import { expect } from 'chai'
import { toJunit } from '../../../src/authoring/tests/junit.ts'
import { runPolicyTests } from '../../../src/authoring/tests/policy-tests.ts'
import { hospitalRevision } from '../../support/policy-files.ts'

const who = 'caller: ingress, chain: {subject: hospital/clerk}'
const what = 'request: {service: records-agent, method: POST, path: /tasks}'
const text = `tests:
  - {name: passes, ${who}, ${what}, expect: {decision: allow}}
  - {name: "fails <&\\">\\u0007", ${who}, ${what}, expect: {decision: deny}}
`

describe('authoring/tests/junit', () => {
  it('writes a suite a file and a failure for what differs, as well-formed XML', async () => {
    const ran = runPolicyTests(new Map([['tests/a.yaml', text]]), await hospitalRevision())
    if (!('results' in ran)) throw new TypeError('the tests can be read')
    const xml = toJunit(ran)
    expect(xml).to.include('<testsuites name="waywarden policy test" tests="2" failures="1" errors="0">')
    expect(xml).to.include('<testsuite name="tests/a.yaml" tests="2" failures="1" errors="0">')
    expect(xml).to.match(/<testcase [^>]*name="passes"[^>]*line="2"\/>/)
    expect(xml).to.include('name="fails &lt;&amp;&quot;&gt;\u{fffd}"')
    expect(xml).to.include('<failure message="decision: expected deny, found allow">')
    expect(xml.match(/<testcase/g)).to.have.length(2)
  })
})

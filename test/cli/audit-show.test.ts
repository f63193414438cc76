import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { run } from '../support/terminal.ts'
import { playOverThreeReplicas, type ThreeReplicas } from '../support/three-replicas.ts'

const steps = [
  'gateway -> billing-agent',
  'agent-a -> insurance-agent',
  'agent-d -> insurance',
  'agent-d -> patient-records',
]
const esc = '\u{1b}'

describe('cli/audit-show', () => {
  let played: ThreeReplicas
  before(async () => {
    played = await playOverThreeReplicas()
  })

  it('shows a transaction over three replicas as one tree, with decision, policy, revision and time', async () => {
    const { code, out, err } = await run(['audit', 'show', played.txn, ...played.audits])
    expect([code, err]).to.deep.equal([0, ''])
    const lines = out.split('\n')
    expect(lines[0]).to.include('hospital/clerk')
    const edges = lines.filter((line) => line.includes(' -> '))
    expect(edges.map((line) => steps.findIndex((step) => line.includes(`${step}  `)))).to.deep.equal([
      0, 1, 2, 3,
    ])
    expect(edges.map((line) => line.search(/\S/))).to.deep.equal([2, 4, 6, 6])
    expect(edges[3]).to.match(/deny policy_denied .*Patient::"42"/)
    expect(out).to.match(/records-team\/patient-records\.cedar:\d+, revision [0-9a-f]{12}/)
    expect(out).to.match(/at \d{4}-\d\d-\d\dT[\d:.]+Z, decision [0-9a-f-]{36}/)
  })

  it('draws boxes and colours only where a person looks', async () => {
    const argv = ['audit', 'show', played.txn, ...played.audits]
    const plain = (await run(argv)).out
    const boxes = (await run(argv, '', 0, 'boxes')).out
    const colors = (await run(argv, '', 0, 'colors')).out
    expect([plain, boxes, colors].map((out) => [out.includes('└─'), out.includes(esc)])).to.deep.equal([
      [false, false],
      [true, false],
      [true, true],
    ])
  })

  it('finds the transaction of one decision', async () => {
    const argv = ['audit', 'show', played.txn, ...played.audits]
    const [, id = ''] = /decision ([0-9a-f-]{36})/.exec((await run(argv)).out) ?? []
    expect((await run(['audit', 'show', id, ...played.audits])).out).to.include('patient-records')
  })

  it('says that a hop is missing when a replica was not named', async () => {
    const [first = '', , third = ''] = played.audits
    const { code, out } = await run(['audit', 'show', played.txn, first, third])
    expect(code).to.equal(0)
    expect(out).to.include('after agent-a, whose hop is in none of these logs')
  })

  it('prints the same for scripts', async () => {
    const { out } = await run(['audit', 'show', played.txn, ...played.audits, '--json'])
    const { txn, decisions, hops } = JSON.parse(out)
    expect([txn, decisions, hops[0].next[0].next.length]).to.deep.equal([played.txn, 4, 2])
  })

  it('draws a flowchart whose texts cannot become markup', async () => {
    const { out } = await run(['audit', 'show', played.txn, ...played.audits, '--mermaid'])
    const [head, ...lines] = out.split('\n')
    expect(head).to.equal('flowchart LR')
    expect(lines.filter((line) => line.includes('-->'))).to.have.length(4)
    expect(out).to.include('Patient::#34;42#34;')
  })

  it('has no token in anything that it wrote or showed', async () => {
    const files = played.audits.flatMap((audit) =>
      readdirSync(audit, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.ndjson'))
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')),
    )
    for (const text of files) expect(text).not.to.match(/eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]+/)
  })

  it('knows no other transaction, and says when a path cannot be read', async () => {
    expect((await run(['audit', 'show', 'nobody', ...played.audits])).code).to.equal(1)
    const { code, err } = await run(['audit', 'show', played.txn, '/nowhere', ...played.audits])
    expect([code, err !== '']).to.deep.equal([1, true])
  })

  it('takes one format at a time', async () => {
    const { code } = await run(['audit', 'show', played.txn, ...played.audits, '--json', '--mermaid'])
    expect(code).to.equal(2)
  })
})

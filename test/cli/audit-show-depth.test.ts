import { join } from 'node:path'
import { expect } from 'chai'
import { formatRecord } from '../../src/audit/format/record.ts'
import { toRecord } from '../../src/audit/format/to-record.ts'
import { formatJson } from '../../src/cli/transaction-json.ts'
import { formatMermaid } from '../../src/cli/transaction-mermaid.ts'
import { formatTransaction, maxDrawnDepth } from '../../src/cli/transaction-text.ts'
import { type ProvenRecord, type Transaction, toTransaction } from '../../src/explain/transaction.ts'
import { deniedParts } from '../support/decision.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'
import { writeLines } from '../support/written-log.ts'

const hops = 20_000
const plain = { isTerminal: false, hasColors: false }
const boxes = { isTerminal: true, hasColors: false }

const forms: readonly {
  readonly name: string
  readonly argv: readonly string[]
  readonly format: (transaction: Transaction) => Iterable<string>
}[] = [
  { name: 'text', argv: [], format: (transaction) => formatTransaction(transaction, plain) },
  { name: 'boxes', argv: [], format: (transaction) => formatTransaction(transaction, boxes) },
  { name: 'JSON', argv: ['--json'], format: formatJson },
  { name: 'Mermaid', argv: ['--mermaid'], format: formatMermaid },
]

describe('cli/audit-show, of an agent that called itself again and again', function () {
  this.timeout(120_000)
  let directory: string
  before(() => {
    directory = join(temporaryDirectory(), 'audit')
    writeLines(
      directory,
      toRecords(hops).map(({ record }) => formatRecord(record).trimEnd()),
    )
  })

  for (const { name, argv } of forms) {
    it(`shows each of ${hops} hops as ${name}, in lines that people and programs can read`, async () => {
      const shown = name === 'boxes' ? 'boxes' : 'plain'
      const { code, out, err } = await run(['audit', 'show', 'txn-1', directory, ...argv], '', 0, shown)
      expect([code, err]).to.deep.equal([0, ''])
      const lines = out.split('\n')
      expect(lines.reduce((longest, line) => Math.max(longest, line.length), 0)).to.be.below(2000)
      expect(lines.length).to.be.within(hops, 20 * hops)
    })
  }

  it('nests JSON no deeper than readers of JSON can recurse, and loses no hop', async () => {
    const { out } = await run(['audit', 'show', 'txn-1', directory, '--json'])
    const { hops: nested, deeper } = JSON.parse(out)
    const depths: number[] = []
    for (let at = nested; at.length > 0; at = at[0].next) depths.push(depths.length)
    expect(depths.length).to.equal(maxDrawnDepth + 1)
    expect(depths.length + deeper.length).to.equal(hops)
    expect(deeper[0]).to.include({ depth: maxDrawnDepth + 1, after: `d-${maxDrawnDepth}`, isDetached: false })
    expect(deeper.at(-1).record.decisionId).to.equal(`d-${hops - 1}`)
  })

  it('says how deep a hop is that is not indented further', async () => {
    const { out } = await run(['audit', 'show', 'txn-1', directory])
    expect(out.match(/\[depth \d+\]/g)).to.have.length(hops - maxDrawnDepth - 1)
    expect(out)
      .to.include(`[depth ${hops - 1}] `)
      .and.to.include('are not indented further, and say their depth')
  })

  for (const { name, format } of forms) {
    it(`does twice the work for twice the hops, as ${name}`, () => {
      const [one, two] = [500, 1000].map((count) => workOf(count, format))
      expect(one).to.be.greaterThan(500)
      expect(two).to.be.below(2.2 * (one ?? 0))
    })
  }
})

/** Hops of which each was asked for by the one before. */
function toRecords(count: number): readonly ProvenRecord[] {
  const record = { ...toRecord(deniedParts()), results: [], deniedBy: [], reason: undefined }
  return Array.from({ length: count }, (_, index) => ({
    record: {
      ...record,
      decisionId: `d-${index}`,
      time: new Date(1_790_000_000_000 + index).toISOString(),
      jtiIn: index === 0 ? undefined : `j-${index - 1}`,
      jtiOut: `j-${index}`,
    },
    standing: 'signed',
  }))
}

function mustJoin(records: readonly ProvenRecord[]): Transaction {
  return toTransaction('txn-1', records) ?? expect.fail('no transaction')
}

/** How often anything is read of a record, and how much is written. */
function workOf(count: number, format: (transaction: Transaction) => Iterable<string>): number {
  let work = 0
  const records = toRecords(count).map(({ record, standing }) => ({
    standing,
    record: new Proxy(record, {
      get(target, name, receiver) {
        work++
        return Reflect.get(target, name, receiver)
      },
    }),
  }))
  for (const line of format(mustJoin(records))) work += line.length
  return work
}

import { expect } from 'chai'
import { createRecovery, type Handing } from '../../src/chain/recovery.ts'
import { isDeny } from '../../src/model/decision.ts'
import { hospital } from '../support/identities.ts'

const { agentA, agentD, agentR } = hospital
const trace = (digit: string): [string, string[]] => [
  'traceparent',
  [`00-${digit.repeat(32)}-00f067aa0ba902b7-01`],
]
const session = (id: string): [string, string[]] => ['mcp-session-id', [id]]
const handing = (token: string, overlay: Partial<Extract<Handing, { token: string }>> = {}): Handing => {
  return { token, txn: 'txn-1', actors: [agentA], scopes: [], expiresAt: 1000, ...overlay }
}

function build(options = {}) {
  return createRecovery({ byTrace: true, byHeaders: ['mcp-session-id'], maxChains: 100, ...options })
}

describe('chain/recovery', () => {
  it('finds the chain again by the trace, or by a session', () => {
    const { keep, find } = build()
    keep(new Map([trace('a'), session('s')]), agentD, handing('chain'))
    expect(find(new Map([trace('a')]), agentD, 0)).to.equal('chain')
    expect(find(new Map([session('s')]), agentD, 0)).to.equal('chain')
    expect(find(new Map([trace('b'), session('other')]), agentD, 0)).to.equal(undefined)
  })

  it('finds nothing for anybody but the workload that it was minted for', () => {
    const { keep, find } = build()
    keep(new Map([trace('a')]), agentD, handing('chain'))
    expect(find(new Map([trace('a')]), agentR, 0)).to.equal(undefined)
  })

  it('takes the newest of chains that mean the same', () => {
    const { keep, find } = build()
    for (const token of ['first', 'second']) keep(new Map([trace('a')]), agentD, handing(token))
    expect(find(new Map([trace('a')]), agentD, 0)).to.equal('second')
  })

  const doubts = [
    { name: 'two transactions', other: { txn: 'txn-2' } },
    { name: 'two ways to the agent', other: { actors: [agentA, agentR] } },
    { name: 'two sets of scopes', other: { scopes: ['records:read'] } },
  ]
  for (const { name, other } of doubts) {
    it(`is in doubt between ${name}, until one is over`, () => {
      const { keep, find } = build()
      keep(new Map([trace('a')]), agentD, handing('one'))
      keep(new Map([trace('a')]), agentD, handing('other', { expiresAt: 2000, ...other }))
      const found = find(new Map([trace('a')]), agentD, 0)
      expect(typeof found === 'object' && isDeny(found) && found.code).to.equal('chain_missing')
      expect(find(new Map([trace('a')]), agentD, 1_000_000)).to.equal('other')
    })
  }

  const parents = ['00f067aa0ba902b7', 'b7ad6b7169203331'].map((span) => `00-${'a'.repeat(32)}-${span}-01`)
  for (const { name, values } of [
    { name: 'in two headers', values: parents },
    { name: 'joined by Envoy', values: [parents.join(',')] },
    { name: 'joined with a blank', values: [parents.join(', ')] },
    { name: 'one value twice', values: [parents[0] ?? '', parents[0] ?? ''] },
  ]) {
    it(`finds the chain by two \`traceparent\` of one trace, ${name}, and leaves them`, () => {
      const { keep, find, unusable } = build()
      const headers = new Map([['traceparent', values]])
      keep(headers, agentD, handing('chain'))
      expect(find(new Map([trace('a')]), agentD, 0)).to.equal('chain')
      expect(find(headers, agentD, 0)).to.equal('chain')
      expect(unusable(headers)).to.deep.equal([])
    })
  }

  it('is in doubt when two ids of a request lead to two chains', () => {
    const { keep, find } = build()
    keep(new Map([trace('a')]), agentD, handing('one'))
    keep(new Map([session('s')]), agentD, handing('other', { txn: 'txn-2' }))
    expect(find(new Map([trace('a'), session('s')]), agentD, 0)).to.be.an('object')
  })

  it('takes no id that is repeated, empty, too long or not asked for', () => {
    const { keep, find } = build({ byTrace: false })
    for (const headers of [
      [session('')],
      [session('x'.repeat(300))],
      [['mcp-session-id', ['a', 'a']]],
      [trace('a')],
    ] as [string, string[]][][]) {
      keep(new Map(headers), agentD, handing('chain'))
      expect(find(new Map(headers), agentD, 0)).to.equal(undefined)
    }
  })

  it('does not take one kind of id for another', () => {
    const { keep, find } = build()
    keep(new Map([session('a'.repeat(32))]), agentD, handing('chain'))
    expect(find(new Map([trace('a')]), agentD, 0)).to.equal(undefined)
  })

  it('keeps so many and no more', () => {
    const { keep, find } = build({ maxChains: 2 })
    for (const id of ['1', '2', '3']) keep(new Map([session(id)]), agentD, handing(id))
    expect(find(new Map([session('1')]), agentD, 0)).to.equal(undefined)
    expect(find(new Map([session('3')]), agentD, 0)).to.equal('3')
  })

  it('is in doubt when the same id also brought work without a chain', () => {
    const { keep, find } = build()
    keep(new Map([trace('a')]), agentD, handing('chain'))
    keep(new Map([trace('a')]), agentD, { token: undefined, expiresAt: 2000 })
    expect(find(new Map([trace('a')]), agentD, 0)).to.be.an('object')
    // The chain is over, and what is left is nothing.
    expect(find(new Map([trace('a')]), agentD, 1_000_000)).to.equal(undefined)
  })

  it('stays in doubt however many others came between', () => {
    const { keep, find } = build()
    keep(new Map([trace('a')]), agentD, handing('first', { expiresAt: 9000 }))
    for (let other = 0; other < 20; other++)
      keep(new Map([trace('a')]), agentD, handing('x', { txn: `t-${other}`, expiresAt: 10 + other }))
    expect(find(new Map([trace('a')]), agentD, 0)).to.be.an('object')
    expect(find(new Map([trace('a')]), agentD, 8_000_000)).to.be.an('object')
  })

  it('names ids that two readers could read differently', () => {
    const { unusable } = build()
    const odd: readonly (readonly [string, string[]])[] = [
      ['traceparent', [`00-${'A'.repeat(32)}-00f067aa0ba902b7-01`]],
      ['traceparent', [`00-${'a'.repeat(32)}-00f067aa0ba902b7-01,00-${'b'.repeat(32)}-00f067aa0ba902b7-01`]],
      ['traceparent', ['a', 'b'].map((digit) => trace(digit)[1][0] ?? '')],
      ['traceparent', [...trace('a')[1], 'x']],
      ['traceparent', [`${trace('a')[1][0]},`]],
      ['traceparent', [...trace('a')[1], '']],
      ['mcp-session-id', ['one,two']],
      ['mcp-session-id', ['one', 'two']],
      ['mcp-session-id', ['']],
    ]
    for (const [name, values] of odd) expect(unusable(new Map([[name, values]]))).to.deep.equal([name])
    expect(unusable(new Map([trace('a'), session('s')]))).to.deep.equal([])
  })
})

import { expect } from 'chai'
import { type Deny, isDeny } from '../../../src/base/model/decision.ts'
import type { SpiffeId } from '../../../src/base/model/spiffe-id.ts'
import { createRecovery, type Handing, type RecoveryOptions } from '../../../src/decision/chain/recovery.ts'
import { hospital } from '../../support/identities.ts'
import { measureHeap } from '../../support/memory.ts'

const { agentA, agentD, agentR } = hospital
const trace = (digit: string): [string, string[]] => [
  'traceparent',
  [`00-${digit.repeat(32)}-00f067aa0ba902b7-01`],
]
const session = (id: string): [string, string[]] => ['mcp-session-id', [id]]
const handing = (token: string, overlay: Partial<Extract<Handing, { token: string }>> = {}): Handing => {
  return { token, txn: 'txn-1', actors: [agentA], scopes: [], expiresAt: 1000, ...overlay }
}

function build(options: Partial<RecoveryOptions> = {}) {
  return createRecovery({
    byTrace: true,
    byHeaders: ['mcp-session-id'],
    maxChains: 100,
    unknownUntil: () => 0,
    ...options,
  })
}

const isDoubt = (found: string | Deny | undefined) => isDeny(found) && found.code === 'chain_missing'

describe('decision/chain/recovery', () => {
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
      expect(find(new Map([trace('a')]), agentD, 0)).to.satisfy(isDoubt)
      // As long as another replica may admit it.
      expect(find(new Map([trace('a')]), agentD, 1_029_000)).to.satisfy(isDoubt)
      expect(find(new Map([trace('a')]), agentD, 1_030_000)).to.equal('other')
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

  it('stays in doubt until the other is over, though the newest is handed out again', () => {
    const { keep, find } = build()
    keep(new Map([trace('a')]), agentD, handing('one', { expiresAt: 5000 }))
    for (const expiresAt of [6000, 7000, 8000])
      keep(new Map([trace('a')]), agentD, handing('other', { txn: 'txn-2', expiresAt }))
    expect(find(new Map([trace('a')]), agentD, 5_029_000)).to.satisfy(isDoubt)
    expect(find(new Map([trace('a')]), agentD, 5_030_000)).to.equal('other')
  })

  it('finds no chain that has ended', () => {
    const { keep, find } = build()
    keep(new Map([trace('a')]), agentD, handing('chain'))
    expect(find(new Map([trace('a')]), agentD, 999_999)).to.equal('chain')
    expect(find(new Map([trace('a')]), agentD, 1_000_000)).to.equal(undefined)
  })

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
    expect(find(new Map([trace('a')]), agentD, 1_030_000)).to.equal(undefined)
  })

  it('stays in doubt however many others came between', () => {
    const { keep, find } = build()
    keep(new Map([trace('a')]), agentD, handing('first', { expiresAt: 9000 }))
    for (let other = 0; other < 20; other++)
      keep(new Map([trace('a')]), agentD, handing('x', { txn: `t-${other}`, expiresAt: 10 + other }))
    expect(find(new Map([trace('a')]), agentD, 0)).to.be.an('object')
    expect(find(new Map([trace('a')]), agentD, 8_000_000)).to.be.an('object')
  })

  describe('once it has lost a chain to make room', () => {
    const ids = Array.from({ length: 4 }, (_, index) => `filler-${index}`)
    /** Keeps a chain, and then so many others that there is no room for it. */
    const lose = (handed: Handing) => {
      const recovery = build({ maxChains: ids.length })
      recovery.keep(new Map([session('s')]), agentD, handed)
      for (const id of ids) recovery.keep(new Map([session(id)]), agentD, handing(id, { txn: id }))
      expect(recovery.find(new Map([session('s')]), agentD, 0)).to.equal(undefined)
      return recovery
    }

    for (const { name, lost } of [
      { name: 'a chain', lost: handing('lost', { expiresAt: 5000 }) },
      { name: 'work without a chain', lost: { token: undefined, expiresAt: 5000 } as const },
    ]) {
      it(`is in doubt about its id, as long as ${name} may live that it forgot`, () => {
        const { keep, find } = lose(lost)
        keep(new Map([session('s')]), agentD, handing('new', { txn: 'txn-2', expiresAt: 9000 }))
        expect(find(new Map([session('s')]), agentD, 0)).to.satisfy(isDoubt)
        expect(find(new Map([session('s')]), agentD, 5_029_000)).to.satisfy(isDoubt)
        expect(find(new Map([session('s')]), agentD, 5_030_000)).to.equal('new')
      })
    }

    it('is in doubt about a doubt that it forgot', () => {
      const { keep, find } = lose(handing('first', { expiresAt: 5000 }))
      keep(new Map([session('s')]), agentD, handing('second', { txn: 'txn-2', expiresAt: 10 }))
      for (const id of ids) keep(new Map([session(`${id}-again`)]), agentD, handing(id))
      keep(new Map([session('s')]), agentD, handing('third', { txn: 'txn-3', expiresAt: 9000 }))
      expect(find(new Map([session('s')]), agentD, 5_029_000)).to.satisfy(isDoubt)
      expect(find(new Map([session('s')]), agentD, 5_030_000)).to.equal('third')
    })

    it('is in doubt about a doubt that it forgot before anything else', () => {
      const { keep, find } = build({ maxChains: ids.length })
      keep(new Map([session('s')]), agentD, handing('first', { expiresAt: 5000 }))
      keep(new Map([session('s')]), agentD, handing('second', { txn: 'txn-2', expiresAt: 10 }))
      for (const id of ids) keep(new Map([session(id)]), agentD, handing(id))
      keep(new Map([session('s')]), agentD, handing('third', { txn: 'txn-3', expiresAt: 9000 }))
      expect(find(new Map([session('s')]), agentD, 5_029_000)).to.satisfy(isDoubt)
      expect(find(new Map([session('s')]), agentD, 5_030_000)).to.equal('third')
    })

    it('is in doubt about the same work as well, for it forgot what that was', () => {
      const { keep, find } = lose(handing('lost', { expiresAt: 5000 }))
      keep(new Map([session('s')]), agentD, handing('lost', { expiresAt: 9000 }))
      expect(find(new Map([session('s')]), agentD, 0)).to.satisfy(isDoubt)
    })

    it('stays certain of what it kept all the time', () => {
      const { keep, find } = build({ maxChains: 2 })
      keep(new Map([session('s')]), agentD, handing('kept'))
      for (let other = 0; other < 50; other++) {
        expect(find(new Map([session('s')]), agentD, 0)).to.equal('kept')
        keep(new Map([session(`other-${other}`)]), agentD, handing('x', { txn: `t-${other}` }))
      }
    })

    it('finds no chain under any id of which it lost another', () => {
      const { keep, find } = build({ maxChains: 1 })
      const users = Array.from({ length: 5000 }, (_, index) => index)
      for (const user of users) keep(new Map([session(`s-${user}`)]), agentD, handing('first'))
      const wrong = users.filter((user) => {
        keep(new Map([session(`s-${user}`)]), agentD, handing('other', { txn: 'txn-2' }))
        return !isDoubt(find(new Map([session(`s-${user}`)]), agentD, 0))
      })
      expect(wrong).to.deep.equal([])
    })

    it('says until when ids are in doubt', () => {
      expect(build().lostUntil()).to.equal(0)
      expect(lose(handing('lost', { expiresAt: 5000 })).lostUntil()).to.equal(5030)
    })

    it('takes bounded memory for what it lost', async () => {
      const { made, bytes } = await measureHeap(() => {
        const recovery = build({ maxChains: 10 })
        for (let id = 0; id < 20_000; id++) recovery.keep(new Map([session(`s-${id}`)]), agentD, handing('t'))
        return recovery
      })
      expect(made.find(new Map([session('s-19999')]), agentD, 0)).to.satisfy(
        (found: string | Deny | undefined) => found === 't' || isDoubt(found),
      )
      expect(bytes).to.be.below(1024 * 1024)
    })
  })

  describe('while chains of before may live', () => {
    const unknownUntil = ({ uri }: SpiffeId) => (uri === agentD.uri ? 600 : 60)

    it('is in doubt about every id that it keeps, for as long as the workload may hold one', () => {
      const { keep, find } = build({ unknownUntil })
      for (const holder of [agentD, agentR]) keep(new Map([trace('a')]), holder, handing('chain'))
      expect(find(new Map([trace('a')]), agentD, 599_000)).to.satisfy(isDoubt)
      expect(find(new Map([trace('a')]), agentD, 600_000)).to.equal('chain')
      expect(find(new Map([trace('a')]), agentR, 59_000)).to.satisfy(isDoubt)
      expect(find(new Map([trace('a')]), agentR, 60_000)).to.equal('chain')
    })

    it('is in doubt about work without a chain, too', () => {
      const { keep, find } = build({ unknownUntil })
      keep(new Map([trace('a')]), agentD, { token: undefined, expiresAt: 1000 })
      expect(find(new Map([trace('a')]), agentD, 0)).to.satisfy(isDoubt)
    })

    it('finds nothing under an id that it does not keep, as ever', () => {
      expect(build({ unknownUntil }).find(new Map([trace('a')]), agentD, 0)).to.equal(undefined)
    })
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

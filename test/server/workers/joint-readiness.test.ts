import { expect } from 'chai'
import type { Readiness } from '../../../src/server/admin/admin-server.ts'
import { joinReadiness } from '../../../src/server/workers/joint-readiness.ts'

const policy = {
  source: 'policies',
  revision: 'r1',
  pinned: undefined,
  confirmedSecondsAgo: 1,
  lastError: undefined,
}
const ready: Readiness = { ready: true, reasons: [], notices: ['plaintext'], policy }
const unready: Readiness = { ready: false, reasons: ['no audit'], notices: ['plaintext'], policy }

describe('server/workers/joint-readiness', () => {
  for (const { name, readiness, silent = [], isDraining = false, want } of [
    {
      name: 'is ready when all are, and says once what all say',
      readiness: [ready, ready],
      want: { ready: true, reasons: [], notices: ['plaintext'] },
    },
    {
      name: 'is ready while one can decide, and says what keeps the other',
      readiness: [ready, unready],
      want: { ready: true, reasons: [], notices: ['worker 2: no audit', 'plaintext'] },
    },
    {
      name: 'is ready while one is started again',
      readiness: [undefined, ready],
      want: { ready: true, reasons: [], notices: ['worker 1: it does not run', 'worker 2: plaintext'] },
    },
    {
      name: 'is ready while one is silent, whatever that said last',
      readiness: [ready, ready],
      silent: [2],
      want: { ready: true, reasons: [], notices: ['worker 2: it does not answer', 'plaintext'] },
    },
    {
      name: 'is not when all are silent',
      readiness: [ready, ready],
      silent: [1, 2],
      want: { ready: false, reasons: ['it does not answer'], notices: ['plaintext'] },
    },
    {
      name: 'is not when nobody can decide',
      readiness: [unready, undefined],
      want: {
        ready: false,
        reasons: ['worker 1: no audit', 'worker 2: it does not run'],
        notices: ['worker 1: plaintext'],
      },
    },
    {
      name: 'says once what keeps all',
      readiness: [unready, unready],
      want: { ready: false, reasons: ['no audit'], notices: ['plaintext'] },
    },
    {
      name: 'says when they decide by different revisions',
      readiness: [ready, { ...ready, policy: { ...policy, revision: 'r2' } }],
      want: {
        ready: true,
        reasons: [],
        notices: ['workers decide by different policy revisions', 'plaintext'],
      },
    },
    {
      name: 'is not while it drains',
      readiness: [ready, ready],
      isDraining: true,
      want: { ready: false, reasons: ['draining'], notices: ['plaintext'] },
    },
  ] satisfies readonly {
    readonly name: string
    readonly readiness: readonly (Readiness | undefined)[]
    readonly silent?: readonly number[]
    readonly isDraining?: boolean
    readonly want: object
  }[]) {
    it(name, () => {
      const states = readiness.map((one, index) => {
        const worker = index + 1
        return { worker, connections: 0, readiness: one, isSilent: silent.includes(worker) }
      })
      const { ready, reasons, notices } = joinReadiness(states, isDraining)
      expect({ ready, reasons, notices }).to.deep.equal(want)
    })
  }

  it('shows each worker, and the policy source as one that can decide sees it', () => {
    const states = [
      {
        worker: 1,
        connections: 0,
        isSilent: true,
        readiness: { ...ready, policy: { ...policy, revision: 'r0' } },
      },
      { worker: 2, connections: 3, isSilent: false, readiness: ready },
    ]
    const joined = joinReadiness(states, false)
    expect(joined.policy?.revision).to.equal('r1')
    expect(joined.workers).to.deep.equal([
      { worker: 1, ready: false, connections: 0, revision: 'r0' },
      { worker: 2, ready: true, connections: 3, revision: 'r1' },
    ])
  })
})

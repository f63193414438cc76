import { randomInt } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import { type Hospital, startHospital } from '../../demo/hospital.ts'
import { clerk } from '../../demo/idp.ts'
import type { MeshAnswer } from '../../demo/mesh.ts'
import { readAudit } from '../../demo/outcome.ts'
import { warmUp } from '../../demo/scenario.ts'
import { chainHeader } from '../../demo/services/task.ts'
import { mintChain } from '../support/hospital-chain.ts'

const kills = 50
const atOnce = 4

describe('a Waywarden that is killed', function () {
  this.timeout(1_800_000)

  it(`has recorded every decision that a client saw, after ${kills} kills at random points`, async () => {
    await using hospital = await startHospital()
    await warmUp(hospital)
    const load = startLoad(hospital, await mintChain(hospital, clerk, ['agent-a'], 'agent-d'))
    for (const _ of Array.from({ length: kills })) {
      await load.untilDecided()
      await wait(randomInt(30))
      await hospital.stopWaywarden(0, 'SIGKILL')
      await hospital.startWaywarden(0)
    }
    const answers = await load.stop()
    const seen = answers.flatMap(({ headers }) => headers['waywarden-decision-id'] ?? [])
    const records = await readAudit(hospital)
    expect(seen.filter((decisionId) => !records.has(decisionId))).to.deep.equal([])
    expect(seen.length).to.be.greaterThan(kills)
    // While nobody answers, Envoy refuses; nothing else ever comes.
    expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([200, 403]))
  })
})

type Load = {
  /** Resolves at the next answer that carries a decision. */
  readonly untilDecided: () => Promise<void>
  readonly stop: () => Promise<readonly MeshAnswer[]>
}

function startLoad(hospital: Hospital, chain: string): Load {
  const answers: MeshAnswer[] = []
  const mesh = hospital.meshOf('agent-d')
  const request = { to: 'insurance', method: 'GET', path: '/coverage/p-7', headers: { [chainHeader]: chain } }
  let isStopped = false
  let onDecided: (() => void) | undefined
  const worker = async (): Promise<void> => {
    while (!isStopped) {
      const answer = await mesh(request)
      answers.push(answer)
      if (answer.headers['waywarden-decision-id'] !== undefined) onDecided?.()
      else await wait(5)
    }
  }
  const workers = Array.from({ length: atOnce }, worker)
  return {
    untilDecided: () =>
      new Promise((resolve) => {
        onDecided = resolve
      }),
    stop: async () => {
      isStopped = true
      await Promise.all(workers)
      return answers
    },
  }
}

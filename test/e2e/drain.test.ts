import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import { type Hospital, startHospital } from '../../demo/hospital.ts'
import { clerk } from '../../demo/idp.ts'
import { warmUp } from '../../demo/scenario.ts'
import { chainHeader } from '../../demo/services/task.ts'
import { mintChain } from '../support/hospital-chain.ts'

const requestsPerSecond = 500
const seconds = 6

describe('two Waywardens behind one waypoint', function () {
  this.timeout(60_000)

  it(`one of them is stopped under ${requestsPerSecond} requests a second, and no client notices`, async () => {
    await using hospital = await startHospital({ waywardens: 2 })
    await warmUp(hospital)
    const chain = await mintChain(hospital, clerk, ['agent-a'], 'agent-d')
    const load = sendAtRate(hospital, chain)
    await wait(2000)
    expect(await hospital.stopWaywarden(0)).to.equal(0)
    const statuses = await load
    expect(statuses.length).to.equal(requestsPerSecond * seconds)
    expect(statuses.filter((status) => status !== 200)).to.deep.equal([])
  })
})

/** Sends at an even rate, however long answers take, and returns their statuses. */
async function sendAtRate(hospital: Hospital, chain: string): Promise<readonly number[]> {
  const mesh = hospital.meshOf('agent-d')
  const request = { to: 'insurance', method: 'GET', path: '/coverage/p-7', headers: { [chainHeader]: chain } }
  const answers: Promise<number>[] = []
  const startedMs = performance.now()
  while (answers.length < requestsPerSecond * seconds) {
    const due = Math.floor(((performance.now() - startedMs) * requestsPerSecond) / 1000)
    const missing = Math.min(due, requestsPerSecond * seconds) - answers.length
    for (const _ of Array.from({ length: missing })) answers.push(mesh(request).then(({ status }) => status))
    await wait(2)
  }
  return Promise.all(answers)
}

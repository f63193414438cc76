import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import { startHospital } from '../../demo/hospital.ts'
import { clerk } from '../../demo/idp.ts'
import type { MeshAnswer, MeshRequest } from '../../demo/mesh.ts'
import { chainHeader } from '../../demo/services/task.ts'
import { mintChain } from '../support/hospital-chain.ts'
import { inTurns } from '../support/in-turns.ts'

const mostRequestsPerSecond = 500
const seconds = 6
/** Every other request is allowed; what happens to refusals when a server goes must not be told from silence. */
const oneAllowedIn = 2

describe('two Waywardens behind one waypoint', () => {
  for (const transport of ['grpc-js', 'lean'] as const) {
    it(`one of them is stopped under load over ${transport}, and no client notices`, async () => {
      await using hospital = await startHospital({ waywardens: 2, transport })
      const chain = await mintChain(hospital, clerk, ['agent-a'], 'agent-d')
      const mesh = hospital.meshOf('agent-d')
      const send = (index: number): Promise<MeshAnswer> => mesh(toRequest(index, chain))
      // Not measured: a process that has just started is slow, and this is about one that ends.
      const warmUpMs = performance.now()
      await inTurns(2 * mostRequestsPerSecond, 8, send)
      const found = (2 * mostRequestsPerSecond * 1000) / (performance.now() - warmUpMs)
      // A machine that cannot answer these in time would show silence that has nothing to do with the drain.
      const requestsPerSecond = Math.floor(Math.min(mostRequestsPerSecond, found / 3))
      const load = sendAtRate(send, requestsPerSecond)
      await wait(2000)
      expect(await hospital.stopWaywarden(0)).to.equal(0)
      const answers = await load
      const unexpected = answers.filter((answer, index) => !isExpected(answer, index % oneAllowedIn === 0))
      expect(answers.length).to.equal(requestsPerSecond * seconds)
      expect(unexpected).to.deep.equal([])
    })
  }
})

/** A refusal must be Waywarden's own: one that Envoy makes up has no body. */
function isExpected({ status, body }: MeshAnswer, isAllowed: boolean): boolean {
  return isAllowed ? status === 200 : status === 403 && body.includes('"code":"chain_missing"')
}

function toRequest(index: number, chain: string): MeshRequest {
  const headers = index % oneAllowedIn === 0 ? { [chainHeader]: chain } : {}
  return { to: 'insurance', method: 'GET', path: '/coverage/p-7', headers }
}

/** Sends at an even rate, however long answers take. */
async function sendAtRate(
  send: (index: number) => Promise<MeshAnswer>,
  requestsPerSecond: number,
): Promise<readonly MeshAnswer[]> {
  const answers: Promise<MeshAnswer>[] = []
  const startedMs = performance.now()
  while (answers.length < requestsPerSecond * seconds) {
    const due = Math.floor(((performance.now() - startedMs) * requestsPerSecond) / 1000)
    while (answers.length < Math.min(due, requestsPerSecond * seconds)) answers.push(send(answers.length))
    await wait(2)
  }
  return Promise.all(answers)
}

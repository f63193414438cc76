import { expect } from 'chai'
import { type Hospital, startHospital } from '../../demo/hospital.ts'
import { type Outcome, play } from '../../demo/outcome.ts'
import { steps } from '../../demo/steps.ts'
import { workloads } from '../../demo/world.ts'

for (const { peer, transport } of [
  { peer: 'xfcc', transport: 'grpc-js' },
  { peer: 'metadata', transport: 'grpc-js' },
  { peer: 'xfcc', transport: 'lean' },
  { peer: 'metadata', transport: 'lean' },
] as const) {
  describe(`hospital, peer: ${peer}, transport: ${transport}`, function () {
    this.timeout(60_000)
    let hospital: Hospital
    let outcomes: ReadonlyMap<string, Outcome>

    before(async () => {
      hospital = await startHospital({ peer, transport })
      outcomes = new Map((await play(hospital)).map((outcome) => [outcome.step, outcome]))
    })
    after(() => hospital[Symbol.asyncDispose]())

    for (const step of steps) {
      const { status, code, without, from, refusal } = step
      it(`${step.step}: ${step.story}: ${status} ${code ?? ''}`.trimEnd(), () => {
        const outcome = outcomes.get(step.step)
        expect(outcome).to.include({ status, code, without })
        const latest = from === 'gateway' ? 'hospital/clerk' : workloads[from]
        expect(outcome?.chain.at(-1)).to.equal(latest)
        if (refusal === undefined) expect(outcome?.deniedBy).to.deep.equal([])
        else expect(outcome?.deniedBy.map(({ principal }) => principal)).to.include(refusal.principal)
        expect(outcome?.ok).to.equal(true)
      })
    }
  })
}

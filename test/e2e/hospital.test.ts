import { expect } from 'chai'
import { type Hospital, startHospital } from '../../demo/hospital.ts'
import { type Outcome, play } from '../../demo/outcome.ts'
import { steps } from '../../demo/steps.ts'
import { formatTable } from '../../demo/table.ts'
import { workloads } from '../../demo/world.ts'
import { readDocument } from '../support/document.ts'

const printed = readDocument('README.md').fences.find(({ language }) => language === 'text')?.text

for (const { peer, transport, usesSockets } of [
  { peer: 'xfcc', transport: 'grpc-js', usesSockets: false },
  { peer: 'metadata', transport: 'grpc-js', usesSockets: true },
  { peer: 'xfcc', transport: 'lean', usesSockets: true },
  { peer: 'metadata', transport: 'lean', usesSockets: false },
] as const) {
  describe(`hospital, peer: ${peer}, transport: ${transport}, ${usesSockets ? 'socket' : 'port'}`, () => {
    let hospital: Hospital
    let outcomes: ReadonlyMap<string, Outcome>

    before(async () => {
      hospital = await startHospital({ peer, transport, usesSockets })
      outcomes = new Map((await play(hospital)).map((outcome) => [outcome.step, outcome]))
    })
    after(() => hospital[Symbol.asyncDispose]())

    it('prints what README says', () => {
      const table = formatTable([...outcomes.values()], false).replaceAll(/ +$/gm, '')
      expect(`${table}\n\n${steps.length} steps, each as it should be`).to.equal(printed?.trimEnd())
    })

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

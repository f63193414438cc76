import { expect } from 'chai'
import fc from 'fast-check'
import { Counter, Histogram, Registry } from 'prom-client'
import { buckets, type CountCheck, createCheckMetrics } from '../../src/telemetry/check-metrics.ts'

describe('telemetry/check-metrics', () => {
  it('shows what prom-client would, had it counted by itself', async () => {
    const outcome = fc.constantFrom('allow', 'observed', 'deny')
    const code = fc.constantFrom(undefined, 'policy_denied', 'overloaded')
    const seconds = fc.oneof(fc.constantFrom(...buckets), fc.double({ min: 0, max: 2, noNaN: true }))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(outcome, code, seconds)), async (checks) => {
        const own = new Registry()
        const plain = new Registry()
        for (const registry of [own, plain]) registry.setDefaultLabels({ worker: '1' })
        for (const [registry, count] of [
          [own, createCheckMetrics(own)],
          [plain, createPlainly(plain)],
        ] as const) {
          for (const check of checks) count(...check)
          // Nothing is counted twice because somebody looks.
          await registry.metrics()
        }
        expect(await linesOf(own)).to.deep.equal(await linesOf(plain))
      }),
      { numRuns: 100 },
    )
  })
})

function createPlainly(registry: Registry): CountCheck {
  const registers = [registry]
  const checks = new Counter({
    name: 'waywarden_checks_total',
    help: 'Decided checks by outcome and code: empty for an allow, the suppressed refusal when observed',
    labelNames: ['outcome', 'code'],
    registers,
  })
  const durations = new Histogram({
    name: 'waywarden_check_duration_seconds',
    help: 'Duration of a check, from the received CheckRequest to its answer',
    labelNames: ['outcome'],
    buckets: [...buckets],
    registers,
  })
  return (outcome, code, seconds) => {
    checks.inc({ outcome, code: code ?? '' })
    durations.observe({ outcome }, seconds)
  }
}

/** Series stand in no order that anybody may rely on. */
async function linesOf(registry: Registry): Promise<readonly string[]> {
  return (await registry.metrics()).split('\n').sort()
}

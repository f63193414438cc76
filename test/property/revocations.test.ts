import { expect } from 'chai'
import fc from 'fast-check'
import { parseRevocationsInSteps, type Revocations } from '../../src/decision/chain/revocations.ts'
import { readPlainly } from '../support/plain-revocations.ts'

const id = fc.oneof(
  fc.string(),
  fc.constantFrom('a', 'hospital/clerk', ']', '[', '},{', '"', '\\', '\\"', ' '),
)
const actor = fc.constantFrom('spiffe://hospital.example/ns/a/sa/b', 'spiffe://hospital.example/ns/a/sa/c')
const notBefore = fc.option(fc.oneof(fc.nat(), fc.constantFrom(1e12, -1, 1.5)), { nil: undefined, freq: 3 })
const entry = fc.oneof(
  fc.record({ actor, not_before: notBefore }),
  fc.record({ user: id.map((text) => `hospital/${text}x`), not_before: notBefore }),
  fc.record({ txn: id, not_before: notBefore }),
  fc.record({ jti: id }),
  fc.constantFrom<object>({}, { txn: 'a', jti: 'b' }, { txn: ['a', { b: [] }] }, []),
)
const file = fc.record({
  version: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, fc.constantFrom<unknown>(2, [1, 2], '1')),
  entries: fc.oneof(
    { weight: 9, arbitrary: fc.array(entry, { maxLength: 6 }) },
    fc.constantFrom<unknown>({}, [[]], 'a'),
  ),
})
/** As people write it: on one line, or on many. */
const text = fc.oneof(
  file.map((value) => JSON.stringify(value)),
  file.map((value) => JSON.stringify(value, undefined, 2)),
)
const scrap = fc.constantFrom(...'{}[],:"\\ \n\t1a-', 'entries', '[]', ',,', '"version":1,')
const change = fc.record({
  at: fc.nat(),
  removed: fc.nat({ max: 3 }),
  added: fc.oneof(scrap, fc.constant('')),
})
const pieceBytes = fc.constantFrom(0, 1, 7, 40, 1000)

describe('property: revocations parsed in steps', () => {
  it('are what the whole file says, wherever it is cut', () => {
    fc.assert(
      fc.property(text, pieceBytes, (given, size) => {
        expect(readInSteps(given, size)).to.deep.equal(readPlainly(given))
      }),
      { numRuns: 2000 },
    )
  })

  it('are refused exactly if the whole file is, whatever is changed in it', () => {
    fc.assert(
      fc.property(
        text,
        fc.array(change, { minLength: 1, maxLength: 3 }),
        pieceBytes,
        (given, changes, size) => {
          const changed = changes.reduce((before, { at, removed, added }) => {
            const start = at % (before.length + 1)
            return before.slice(0, start) + added + before.slice(start + removed)
          }, given)
          expect(readInSteps(changed, size)).to.deep.equal(readPlainly(Buffer.from(changed).toString()))
        },
      ),
      { numRuns: 20_000 },
    )
  }).timeout(60_000)
})

function readInSteps(given: string, size: number): ReadonlyMap<string, number> | undefined {
  const steps = parseRevocationsInSteps(Buffer.from(given), size)
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return 'actor' in value ? toMap(value) : undefined
  }
}

function toMap(revocations: Revocations): ReadonlyMap<string, number> {
  return new Map(
    Object.entries(revocations).flatMap(([kind, members]) =>
      [...members].map(([name, time]) => [`${kind} ${name}`, time] as const),
    ),
  )
}

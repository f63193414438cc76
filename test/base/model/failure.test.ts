import { expect } from 'chai'
import { deny, isDeny } from '../../../src/base/model/decision.ts'
import { failureKinds, isFailure } from '../../../src/base/model/failure.ts'
import { fault, isFault } from '../../../src/base/model/fault.ts'
import { invalid, isInvalid } from '../../../src/base/model/invalid.ts'

describe('base/model/failure', () => {
  const guards = { deny: isDeny, invalid: isInvalid, fault: isFault }
  const failures = [deny('internal_error', 'why'), invalid('why'), fault('why')]

  for (const failure of failures) {
    it(`knows \`${failure.kind}\` as a failure, and by its own guard alone`, () => {
      expect(isFailure(failure)).to.equal(true)
      const seen = Object.entries(guards).filter(([, guard]) => guard(failure))
      expect(seen.map(([kind]) => kind)).to.deep.equal([failure.kind])
    })
  }

  it('takes nothing else for a failure', () => {
    const successes = [
      'deny',
      0,
      true,
      undefined,
      null,
      [],
      new Map([['kind', 'deny']]),
      { kind: 'found' },
      {},
    ]
    for (const value of successes) {
      expect(isFailure(value), JSON.stringify(value)).to.equal(false)
      for (const guard of Object.values(guards)) expect(guard(value)).to.equal(false)
    }
  })

  it('has each kind once', () => {
    expect(new Set(failureKinds).size).to.equal(failureKinds.length)
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import type { Caller } from '../../src/base/model/caller.ts'
import type { DelegatedChain } from '../../src/base/model/chain.ts'
import type { Service } from '../../src/base/model/target.ts'
import { keyOfCaller, keyOfChain, keyOfRequest } from '../../src/decision/check/keys.ts'
import { pathOf } from '../../src/policy/catalog/path.ts'
import { overridesMethod, type Request } from '../../src/policy/catalog/target.ts'
import { clerk, delegated, hospital } from '../support/identities.ts'

// Values come from small pools, so that equal ones are drawn often. The texts try to look like a length or a separator.

const text = fc.constantFrom('', 'a', 'b', 'ab', '1:a', '0:', 'a1:b', 'a ingress', '2:ab', 'none')
const workload = fc.constantFrom(hospital.agentA, hospital.agentD, hospital.gateway)

/** Every field, or the compiler complains. */
const caller = fc.record<Caller>({
  id: workload,
  waypoint: workload,
  provenBy: fc.constantFrom('xfcc', 'metadata', 'principal'),
  isIngress: fc.boolean(),
})

/** The fields of a chain that are not claims of its token, which the digest covers. */
type BesideToken = Pick<DelegatedChain, 'digest' | 'isRecovered'> & {
  readonly issuerName: string
  readonly groups: readonly string[]
}
const besideToken = fc.record<BesideToken>({
  digest: fc.constantFrom('digest-1', 'digest-2'),
  isRecovered: fc.boolean(),
  issuerName: text,
  groups: fc.array(text, { maxLength: 3 }),
})
const toChain = ({ digest, isRecovered, issuerName, groups }: BesideToken): DelegatedChain => ({
  ...delegated(clerk, [hospital.agentA], ['a']),
  digest,
  isRecovered,
  subject: { ...clerk, issuerName, groups },
})

type Asked = Request & Pick<Service, 'name'>
const asked = fc.record<Asked>({
  name: text,
  method: fc.constantFrom('GET', 'PUT', 'G', 'GET/a', ''),
  path: fc.constantFrom('/a', '/b', 'ET/a', '/a?_method=PUT', '/a?b=c', '/a?b=d', '', '3:GET/a'),
  isUpgrade: fc.boolean(),
})
/** Everything that finding a target reads of a request. */
const readOf = ({ name, method, path, isUpgrade }: Asked) => {
  const isOverriding = overridesMethod(path)
  return { name, method, path: pathOf(path), isOverriding, isUpgrade: !isOverriding && isUpgrade }
}

/** A value, what the cached functions read of it, and its key. */
type Keyed = { readonly value: unknown; readonly read: unknown; readonly key: string }

const keyed: Readonly<Record<string, fc.Arbitrary<Keyed>>> = {
  caller: caller.map((value) => ({ value, read: value, key: keyOfCaller(value) })),
  chain: besideToken.map((value) => ({ value, read: value, key: keyOfChain(toChain(value)) })),
  request: asked.map((value) => ({ value, read: readOf(value), key: keyOfRequest(value, value) })),
}

describe('property: keys', () => {
  for (const [name, arbitrary] of Object.entries(keyed)) {
    it(`of a ${name} are equal exactly if everything that is read is equal`, () => {
      fc.assert(
        fc.property(arbitrary, arbitrary, (one, other) => {
          const isSame = JSON.stringify(one.read) === JSON.stringify(other.read)
          expect(one.key === other.key, `${one.key} | ${other.key}`).to.equal(isSame)
        }),
        { numRuns: 5000 },
      )
    })
  }

  it('fail this if any one field is left out', () => {
    const survivors = Object.entries(keyed).flatMap(([name, arbitrary]) => {
      const [sample] = fc.sample(arbitrary, { numRuns: 1, seed: 1 })
      return Object.keys(Object(sample?.read))
        .filter((field) => !isNoticed(arbitrary, field))
        .map((field) => `${name}.${field}`)
    })
    expect(survivors).to.deep.equal([])
  })
})

/** True if two values differ in this field alone and have different keys: a key without the field would make them equal. */
function isNoticed(arbitrary: fc.Arbitrary<Keyed>, field: string): boolean {
  const without = new Map<string, Set<string>>()
  for (const { read, key } of fc.sample(arbitrary, { numRuns: 3000, seed: 7 })) {
    const rest = JSON.stringify({ ...Object(read), [field]: undefined })
    const keys = without.get(rest) ?? new Set()
    without.set(rest, keys.add(key))
  }
  return [...without.values()].some((keys) => keys.size > 1)
}

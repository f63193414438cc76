import { expect } from 'chai'
import fc from 'fast-check'
import { isDeny } from '../../src/base/model/decision.ts'
import { noRevocations, parseRevocations } from '../../src/decision/chain/revocations.ts'
import type { Verdict } from '../../src/decision/check/verdict.ts'
import type { Revision } from '../../src/policy/revision/revision.ts'
import { readPolicyDirectory } from '../../src/policy/source/directory-source.ts'
import { good } from '../support/forge.ts'
import { act, now, nowMs, uris } from '../support/hospital.ts'
import { mustLoad } from '../support/policy-files.ts'
import { type Call, createWarmLine, genuine, type Surroundings } from '../support/warm-line.ts'

const times = (groups: readonly string[]) => ({
  tctx: { groups, auth_time: now - 600, root_iat: now - 90, ceil: now + 3500 },
})
const heldBy = (aud: string, ...actors: readonly string[]) => ({
  aud,
  act: act(...actors),
  par_hash: actors.length === 0 ? undefined : 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg',
})
const clerks = genuine()
const [header = '', , signature = ''] = clerks.split('.')
const tokens = [
  undefined,
  '',
  clerks,
  // The same user with other groups, the same chain with other actors, holders and scopes.
  genuine(times([])),
  genuine(times(['clinicians'])),
  genuine({ sub: 'other' }),
  genuine({ txn: 'another' }),
  genuine({ scope: 'else' }),
  genuine(heldBy(uris.agentA)),
  genuine(heldBy(uris.agentR)),
  genuine(heldBy(uris.agentD, uris.agentR, uris.agentA)),
  // Another's signature under these claims.
  [header, genuine(times(['clinicians'])).split('.')[1], signature].join('.'),
]
const call: fc.Arbitrary<Call> = fc.record({
  caller: fc.constantFrom(uris.agentA, uris.agentD, uris.agentD, uris.agentR),
  token: fc.constantFrom(...tokens),
  to: fc.constantFrom('10.96.0.10:8080', '10.96.0.2:8080', '10.96.0.11:8080', '10.96.0.3:8080'),
  method: fc.constantFrom('GET', 'POST'),
  path: fc.constantFrom('/coverage/7', '/coverage/8', '/tasks', '/patients/7'),
})
const revoked = (entry: object) => good(parseRevocations(JSON.stringify({ version: 1, entries: [entry] })))
const revocations = fc.constantFrom(
  noRevocations,
  noRevocations,
  revoked({ actor: uris.agentA }),
  revoked({ user: 'hospital/clerk' }),
  revoked({ txn: 'another' }),
)
const signing = fc.constantFrom('chain-1', 'chain-1', 'chain-es256')

/** All that an answer and its record are made of, but what tells one child from the next. */
function essence({ decision, caller, chain, service, target, onward }: Verdict): unknown {
  const child = onward && {
    txn: onward.txn,
    kid: onward.kid,
    parHash: onward.parHash,
    claims: claimsOf(onward.token),
  }
  const said = isDeny(decision) ? { code: decision.code, reason: decision.reason } : {}
  return { said, results: decision.results, caller, chain, service: service?.name, target, child }
}

function claimsOf(token: string): unknown {
  const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  return { ...(claims as object), jti: '', iat: 0, exp: 0 }
}

describe('property: what is remembered', () => {
  let revisions: readonly Revision[]
  before(async () => {
    const sample = await readPolicyDirectory('policies')
    if (!('files' in sample)) throw new TypeError('policies/ cannot be read')
    const without = new Map([...sample.files].filter(([name]) => name !== 'insurance-team/insurance.cedar'))
    revisions = [mustLoad(sample), mustLoad({ ...sample, files: without })]
  })

  it('answers as a line without memory does, whatever was asked and has changed before', async () => {
    const step = fc.record({
      call,
      revision: fc.constantFrom(0, 0, 0, 1),
      revocations,
      signing,
      isOtherTrusted: fc.constantFrom(true, true, false),
      // Beyond the tokens' end, and back.
      nowMs: fc.constantFrom(nowMs, nowMs, nowMs + 60_000, nowMs + 400_000),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 30 }), async (steps) => {
        const warm = createWarmLine()
        for (const { call: asked, revision, ...others } of steps) {
          const serving = revisions[revision]
          if (serving === undefined) throw new TypeError('no revision')
          const surroundings: Surroundings = { revision: serving, ...others }
          const cold = createWarmLine()(asked, surroundings)
          expect(essence(warm(asked, surroundings))).to.deep.equal(essence(cold))
        }
      }),
      { numRuns: 40 },
    )
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import type { Query } from '../../../src/base/model/query.ts'
import { parseSpiffeId, type SpiffeId } from '../../../src/base/model/spiffe-id.ts'
import { createEngine } from '../../../src/policy/cedar/engine.ts'
import type { Revision } from '../../../src/policy/revision/revision.ts'
import { residentMebibytes } from '../../support/memory.ts'
import { mustLoad, policyFiles, workload } from '../../support/policy-files.ts'

/** `npm run test:endurance` asks for ten thousand, and wants to know more than that all went well. */
const asked = process.env['WAYWARDEN_TEST_RELOADS']
const reloads = Number(asked ?? 20)
const hostileInputs = 5000
const traps = 100
const maxGrowthMebibytes = 100

const permitting = {
  'team/a.cedar': `permit (principal == Agent::"${workload('good')}", action, resource in Service::"records");\n`,
}

// Reads all that a request can bring, so that all of it is sent.
const reading = {
  'team/reads.cedar': `forbid (principal, action, resource in Service::"records") when {
    context.chain has subject && context.chain.subject in Group::"hospital/none" || context.chain.scopes.contains("none") ||
    context.http.path == "none" || context.params has patientId && context.params.patientId == "none" };\n`,
}

function idOf(name: string): SpiffeId {
  const id = parseSpiffeId(workload(name))
  if ('kind' in id) throw new TypeError(id.reason)
  return id
}

function query({ catalog }: Revision, who: string, overlay: Partial<Query['target']> = {}): Query {
  const service = catalog.byName.get('records')
  if (service === undefined) throw new TypeError('expected the service')
  const target = {
    service,
    action: { type: 'Action', id: 'read-it' },
    resource: { type: 'Patient', id: '42' },
    params: [{ name: 'patientId', value: '42' }],
    requiredScope: undefined,
    method: 'GET',
    path: '/patients/42',
    ...overlay,
  }
  const chain = { actors: [idOf(who)], subject: undefined, scopes: [], isRecovered: false }
  return { principal: { kind: 'agent', id: idOf(who) }, role: 'caller', delegatee: undefined, chain, target }
}

// Texts that JSON, URLs and headers can carry into a call, and that an engine might misread.
const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom(
    '\ud800',
    'a\udfffb',
    '\0',
    '"',
    '\\u0000',
    '__proto__',
    '{"__entity":{"type":"User","id":"root"}}',
    '{"__extn":{"fn":"ip","arg":"::1"}}',
    'Agent::"x"',
    '*',
    '['.repeat(500),
    'x'.repeat(20_000),
    '\u202e\u{10ffff}',
  ),
)
const hostileQuery = fc.record({
  id: hostileText,
  path: hostileText,
  group: hostileText,
  scope: hostileText,
  // The catalog's word, in which a lone surrogate cannot stand.
  name: fc.oneof(fc.constant('patientId'), hostileText).map((text) => text.toWellFormed()),
})

describe('revision/engine-endurance', function () {
  this.timeout(Math.max(300_000, reloads * 400))

  it(`answers ${hostileInputs} hostile requests one by one, and is none the worse for them`, () => {
    const revision = mustLoad(policyFiles({ ...permitting, ...reading }))
    const seed = Date.now() % 2 ** 31
    for (const { id, path, group, scope, name } of fc.sample(hostileQuery, {
      seed,
      numRuns: hostileInputs,
    })) {
      const params = [{ name, value: id }]
      const asked = query(revision, 'stranger', { resource: { type: 'Patient', id }, path, params })
      const subject = { issuerName: 'hospital', issuer: 'https://idp.example', id, groups: [group] }
      const { outcome } = revision.evaluate({ ...asked, chain: { ...asked.chain, subject, scopes: [scope] } })
      // Refused by the policies or as a call, but by an engine that lives.
      expect(outcome, `seed ${seed}`).to.be.oneOf(['no-permit', 'error'])
    }
    expect(revision.isReady()).to.equal(true)
    expect(revision.evaluate(query(revision, 'good')).outcome).to.equal('permit')
  })

  it(`survives ${traps} traps with good requests between them, in constant memory`, async () => {
    const schema = 'entity A in [A]; action "go" appliesTo {principal: [A], resource: [A]};'
    const engine = createEngine(schema)
    const [policy] = mustLoad(policyFiles()).policies
    if (policy === undefined) throw new TypeError('expected a policy')
    const slice = { key: 'one', policies: [{ ...policy, text: 'permit (principal, action, resource);' }] }
    const nested = `permit (principal, action, resource) when { ${'('.repeat(1000)}true${')'.repeat(1000)} };`
    const bomb = { key: 'bomb', policies: [{ ...policy, text: nested }] }
    const ask = (id: string, by = slice) => {
      const [principal, resource] = [
        { type: 'A', id },
        { type: 'A', id: 'r' },
      ]
      return engine.evaluate(
        { principal, action: { type: 'Action', id: 'go' }, resource, context: {}, entities: [] },
        by,
      )
    }
    const before = await residentMebibytes()
    for (let round = 0; round < traps; round++) {
      const trap = round % 2 === 0 ? ask('\ud800') : ask(`bomb${round}`, bomb)
      expect(trap.kind).to.equal('unavailable')
      expect(ask(`yes${round}`)).to.include({ kind: 'answered', isAllowed: true })
      await new Promise((resolve) => setImmediate(resolve))
      expect(engine.isReady()).to.equal(true)
    }
    await expectNoGrowth(before)
  })

  it(`loads ${reloads} revisions one after another in constant memory`, async () => {
    const load = (round: number) => {
      const revision = mustLoad(policyFiles({ ...permitting, 'team/b.cedar': `// ${round}\n` }))
      expect(revision.evaluate(query(revision, 'good')).outcome).to.equal('permit')
    }
    for (let round = 0; round < reloads / 5; round++) load(-round)
    const before = await residentMebibytes()
    for (let round = 0; round < reloads; round++) {
      load(round)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await expectNoGrowth(before)
  })
})

async function expectNoGrowth(before: number): Promise<void> {
  const growth = (await residentMebibytes()) - before
  if (asked !== undefined)
    process.stdout.write(`      from ${before.toFixed(0)} MiB, ${growth.toFixed(1)} MiB more\n`)
  expect(growth).to.be.lessThan(maxGrowthMebibytes)
}

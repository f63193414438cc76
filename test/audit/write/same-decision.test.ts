import { join } from 'node:path'
import { expect } from 'chai'
import { formatRecord } from '../../../src/audit/format/record.ts'
import { toRecord } from '../../../src/audit/format/to-record.ts'
import { readRecords } from '../../../src/audit/read/query.ts'
import { openAuditLog } from '../../../src/audit/write/open-audit-log.ts'
import { isSameDecision, toComparedParts } from '../../../src/audit/write/same-decision.ts'
import type { RecordParts } from '../../../src/base/model/record-parts.ts'
import { clerkChain, deniedParts, hospitalId, recordTarget, secrets } from '../../support/decision.ts'
import { measureHeap } from '../../support/memory.ts'
import { haveSameShape } from '../../support/same-shape.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

/** With all that may be absent: a field that a record gets has to be added here, or this does not compile. */
type Every<T> =
  T extends ReadonlyMap<unknown, unknown>
    ? T
    : T extends readonly (infer E)[]
      ? readonly Every<E>[]
      : T extends object
        ? { readonly [Field in keyof T]-?: Every<Exclude<T[Field], undefined>> }
        : T

const { input, caller, decision } = deniedParts()
const target = {
  ...recordTarget,
  requiredScope: 'records:read',
  service: {
    ...recordTarget.service,
    scopes: ['a'],
    chainless: [hospitalId('/ns/a/sa/b')],
    removeHeaders: ['x-a'],
    keepsUserToken: true,
  },
}
const authTime = 1_789_999_000
const chain = { ...clerkChain, authTime }
const denied = {
  decisionId: 'decision-1',
  timeMs: 1_790_000_060_123,
  durationMicros: 412,
  decision,
  isObserved: false,
  policyRevision: 'revision-1',
  policyDigest: 'digest-1',
  engine: 'cedar',
  input: input ?? missing(),
  caller: caller ?? missing(),
  chain,
  service: target.service,
  target,
  questionKey: 'question',
  onward: { jti: 'jti-child', txn: 'txn-1', kid: 'key-1', parHash: 'parent-digest' },
}
const firstHop = {
  kind: 'first-hop' as const,
  subject: clerkChain.subject,
  unlistedGroups: ['/billing'],
  scopes: ['insurance:read'],
  issuedAt: 1_790_000_000,
  expiresAt: 1_790_000_300,
  authTime,
}
const checks: readonly { readonly name: string; readonly parts: RecordParts }[] = [
  { name: 'a denial', parts: denied satisfies Every<RecordParts> },
  { name: 'an allow', parts: { ...denied, decision: { kind: 'allow', results: decision.results } } },
  { name: 'a first hop', parts: { ...denied, chain: firstHop satisfies Every<RecordParts['chain']> } },
  { name: 'no chain', parts: { ...denied, chain: { kind: 'none' } } },
]

describe('audit/write/same-decision', () => {
  for (const { name, parts } of checks) {
    it(`knows ${name} again by what its record says, not by which objects say it`, () => {
      expect(
        isSameDecision({ ...structuredClone(parts), decision: parts.decision }, toComparedParts(parts)),
      ).to.equal(true)
    })

    it(`loses nothing of ${name} that has one thing changed, whatever that is`, async () => {
      const changed = [...changesOf(parts)]
      expect(changed.length).to.be.greaterThan(30)
      const appended = changed.flatMap((other) => [parts, parts, other])
      const found = await recorded(appended)
      expect(found).to.deep.equal(appended.map((each) => JSON.parse(formatRecord(toRecord(each)))))
    })
  }

  it('keeps of a long request no more memory than what is compared takes', async () => {
    const count = 1000
    const { bytes } = await measureHeap(() =>
      Array.from({ length: count }, (_, index) => {
        const path = `/patients/${index}/records?secret=${'x'.repeat(8000)}`
        return toComparedParts({ ...denied, input: { ...denied.input, path } })
      }),
    )
    expect(bytes / count).to.be.lessThan(2000)
  })

  it('tells checks apart that came differently far', () => {
    const names = ['input', 'caller', 'chain', 'service', 'target', 'onward'] as const
    for (const name of names) {
      const shorter = { ...denied, [name]: undefined }
      expect(isSameDecision(shorter, toComparedParts(denied)), name).to.equal(false)
      expect(isSameDecision(denied, toComparedParts(shorter)), name).to.equal(false)
    }
    for (const one of checks) {
      for (const other of checks) {
        expect(
          isSameDecision(one.parts, toComparedParts(other.parts)),
          `${one.name}, ${other.name}`,
        ).to.equal(one === other)
      }
    }
  })

  it('lets go of headers, query and token', () => {
    const onward = { ...denied.onward, token: secrets[0] }
    const { input: kept, ...rest } = toComparedParts({ ...denied, onward })
    const text = JSON.stringify([rest, { ...kept, headers: [...(kept?.headers ?? [])] }])
    for (const secret of secrets) expect(text).not.to.include(secret)
  })

  it('is of one shape for all, so that holding many weighs little', () => {
    const [one, other] = [denied, denied].map((parts) =>
      toComparedParts({ ...parts, decision: { ...decision } }),
    )
    expect(one && other && haveSameShape(one, other)).to.equal(true)
  })
})

/** Members that are one of a few, and another of those. */
const closed: ReadonlyMap<string, string> = new Map([
  ['code', 'policy_error'],
  ['provenBy', 'principal'],
])

/** The changed parts keep the same results: by them a check is compared with another at all. */
function* changesOf(parts: RecordParts): Generator<RecordParts> {
  for (const [name, value] of Object.entries(parts)) {
    for (const changed of changes(value)) {
      const other = { ...parts, [name]: changed }
      yield { ...other, decision: { ...other.decision, results: parts.decision.results } }
    }
  }
}

/** Each value that differs in one place; `kind` stands for other members and is left. */
function* changes(value: unknown): Generator<unknown> {
  if (typeof value === 'string') yield `${value}x`
  else if (typeof value === 'number') yield value + 1
  else if (typeof value === 'boolean') yield !value
  else if (value instanceof Map) {
    yield new Map([...value, ['other', 'x']])
    for (const [key, each] of value)
      for (const changed of changes(each)) yield new Map([...value, [key, changed]])
  } else if (Array.isArray(value)) {
    yield value.slice(1)
    yield [...value, value[0]]
    for (const [at, each] of value.entries())
      for (const changed of changes(each)) yield value.with(at, changed)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, each] of Object.entries(value)) {
      if (name === 'kind') continue
      const other = closed.get(name)
      if (other !== undefined) yield { ...value, [name]: other }
      else for (const changed of changes(each)) yield { ...value, [name]: changed }
    }
  }
}

function missing(): never {
  throw new RangeError('the decision of the tests is not whole')
}

async function recorded(checks: readonly RecordParts[]): Promise<unknown[]> {
  const directory = join(temporaryDirectory(), 'audit')
  await using log = openAuditLog({
    directory,
    mode: 'written',
    stdout: false,
    origin: 'replica',
    reserveBytes: 0,
    report: () => {},
  })
  for (const parts of checks) void log.append(parts)
  const found: unknown[] = []
  for await (const line of readRecords([directory])) {
    if (line.kind !== 'meta')
      found.push(line.kind === 'record' ? JSON.parse(JSON.stringify(line.record)) : line)
  }
  return found
}

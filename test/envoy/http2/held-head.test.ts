import { expect } from 'chai'
import { parseRequestHead, type RequestHead } from '../../../src/envoy/http2/grpc/request-head.ts'
import { holdHead, releaseHead } from '../../../src/envoy/http2/held-head.ts'
import { type HeaderField, toHeaderField } from '../../../src/envoy/http2/hpack/header-field.ts'
import { createHpackTable, fieldAt } from '../../../src/envoy/http2/hpack/table.ts'
import { createSharedMemory, openMemoryAccount } from '../../../src/envoy/memory.ts'

const create = (maxBytes: number) => openMemoryAccount(createSharedMemory(1_000_000), maxBytes, '')
const large = () => toHeaderField('large', 'a'.repeat(4000))
const pseudo = [':method', ':scheme', ':path'].map((name) => toHeaderField(name, '/'))

function headOf(...fields: readonly HeaderField[]): RequestHead {
  const head = parseRequestHead([...pseudo, ...fields])
  if (head === undefined) throw new TypeError('expected a head')
  return head
}

describe('envoy/http2/held-head', () => {
  it('counts a field once, however many calls hold it and however often, until the last lets go', () => {
    const account = create(20_000)
    const field = large()
    const heads = Array.from({ length: 10 }, () => headOf(field, field))
    expect(heads.map((head) => holdHead(head, account))).to.not.include(false)
    expect(account.usedBytes).to.be.within(4000 + 10 * 500, 4000 + 10 * 1000)
    const [first, ...others] = heads
    for (const head of others) releaseHead(head, account)
    expect(account.usedBytes).to.be.within(4500, 5200)
    if (first !== undefined) releaseHead(first, account)
    expect(account.usedBytes).to.equal(0)
  })

  it('takes nothing for a head that it refuses', () => {
    const account = create(6000)
    const [one, other] = [headOf(large()), headOf(large())]
    expect([holdHead(one, account), holdHead(other, account)]).to.deep.equal([true, false])
    const usedBytes = account.usedBytes
    releaseHead(one, account)
    expect(account.usedBytes).to.equal(0)
    expect(holdHead(other, account)).to.equal(true)
    expect(account.usedBytes).to.equal(usedBytes)
  })

  it('counts what every connection has for none', () => {
    const everybodys = fieldAt(createHpackTable(4096), 16)
    if (everybodys === undefined) throw new TypeError('expected the static table')
    const [account, other] = [create(6000), create(6000)]
    const [head, another] = [headOf(everybodys), headOf(everybodys)]
    holdHead(head, account)
    holdHead(another, other)
    releaseHead(another, other)
    releaseHead(head, account)
    expect([account.usedBytes, other.usedBytes]).to.deep.equal([0, 0])
  })
})

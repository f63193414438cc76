import { expect } from 'chai'
import { createHealth } from '../../../../src/envoy/http2/grpc/health.ts'

const service = (name: string) => Buffer.concat([Buffer.from([0x0a, name.length]), Buffer.from(name)])

function check(message: Uint8Array, isServing = true) {
  const health = createHealth()
  if (isServing) health.setServing(true)
  const { check: method } = health
  return method.kind === 'unary'
    ? method.answer(message, { metadata: new Map(), tlsPeerUris: [], deadlineMs: undefined })
    : undefined
}

describe('envoy/http2/grpc/health', () => {
  for (const { name, message, isServing, want } of [
    { name: 'the whole server, before it serves', message: Buffer.alloc(0), isServing: false, want: '0802' },
    { name: 'the whole server', message: Buffer.alloc(0), isServing: true, want: '0801' },
    {
      name: 'the service',
      message: service('envoy.service.auth.v3.Authorization'),
      isServing: true,
      want: '0801',
    },
  ]) {
    it(`answers for ${name}`, () => {
      const answer = check(message, isServing)
      expect(answer instanceof Uint8Array && Buffer.from(answer).toString('hex')).to.equal(want)
    })
  }

  for (const { name, message, status } of [
    { name: 'a service that is not here', message: service('nobody'), status: 5 },
    { name: 'bytes that are no message', message: Buffer.from([0xff]), status: 13 },
    { name: 'a name that is no text', message: Buffer.from([0x0a, 1, 0xff]), status: 13 },
    { name: 'a number for a name', message: Buffer.from([0x08, 1]), status: 13 },
  ]) {
    it(`refuses ${name}`, () => expect(check(message)).to.include({ kind: 'failure', status }))
  }

  it('tells a watcher what is and what becomes, until it goes', () => {
    const { watch: method, setServing } = createHealth()
    const seen: number[] = []
    const end =
      method.kind === 'watch' && method.watch(Buffer.alloc(0), (status) => seen.push(status[1] ?? 0))
    setServing(true)
    if (typeof end === 'function') end()
    setServing(false)
    expect(seen).to.deep.equal([2, 1])
  })

  it('tells a watcher nothing while nothing changes', () => {
    const { watch: method, setServing } = createHealth()
    const seen: number[] = []
    if (method.kind === 'watch') method.watch(Buffer.alloc(0), (status) => seen.push(status[1] ?? 0))
    for (const isServing of [false, true, true, true, false, false]) setServing(isServing)
    expect(seen).to.deep.equal([2, 1, 2])
  })

  it('says once of a service that is not here that it knows none', () => {
    const { watch: method, setServing } = createHealth()
    const seen: number[] = []
    if (method.kind === 'watch') method.watch(service('nobody'), (status) => seen.push(status[1] ?? 0))
    setServing(true)
    expect(seen).to.deep.equal([3])
  })
})

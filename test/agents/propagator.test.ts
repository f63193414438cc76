import { Metadata } from '@grpc/grpc-js'
import { expect } from 'chai'
import { runWithChain } from '../../agents/node/actor-chain.js'
import { ActorChainPropagator } from '../../agents/node/propagator.js'

const propagator = new ActorChainPropagator({ allow: ['insurance.svc:8080'] })
const clientKind = 2
const serverKind = 1
const listed = { 'server.address': 'insurance.svc', 'server.port': 8080 }

describe('agents/node/propagator', () => {
  const cases: readonly { name: string; span: unknown; want: string | undefined }[] = [
    { name: 'sends to a listed address', span: { kind: clientKind, attributes: listed }, want: 'clerk' },
    {
      name: 'sends to a listed URL',
      span: { kind: clientKind, attributes: { 'url.full': 'http://insurance.svc:8080/coverage' } },
      want: 'clerk',
    },
    {
      name: 'sends to a listed peer of the older conventions',
      span: { kind: clientKind, attributes: { 'net.peer.name': 'insurance.svc', 'net.peer.port': 8080 } },
      want: 'clerk',
    },
    {
      name: 'sends nothing to another port',
      span: { kind: clientKind, attributes: { ...listed, 'server.port': 80 } },
      want: undefined,
    },
    {
      name: 'sends nothing to an unlisted URL',
      span: { kind: clientKind, attributes: { ...listed, 'url.full': 'http://a.com/' } },
      want: undefined,
    },
    {
      name: 'sends nothing from a server span',
      span: { kind: serverKind, attributes: listed },
      want: undefined,
    },
    { name: 'sends nothing from a span that is not recorded', span: {}, want: undefined },
    { name: 'sends nothing without a span', span: undefined, want: undefined },
  ]
  for (const { name, span, want } of cases) {
    it(name, () => {
      expect(injected(extracted({ 'actor-chain': 'clerk' }).setValue(spanKey, span))).to.equal(want)
    })
  }

  it('never lends a request without a chain that of the context around it', () => {
    const around = extracted({ 'actor-chain': 'clerk' })
    const span = { kind: clientKind, attributes: listed }
    const inner = propagator.extract(around, {}, getter).setValue(spanKey, span)
    expect(runWithChain('clinician', () => injected(inner))).to.equal(undefined)
  })

  it('sends the chain that the middleware keeps where nothing was extracted', () => {
    const context = contextOf(new Map([[spanKey, { kind: clientKind, attributes: listed }]]))
    expect(runWithChain('clerk', () => injected(context))).to.equal('clerk')
  })

  it('removes what an earlier hop of a redirect put there', () => {
    const span = { kind: clientKind, attributes: { 'url.full': 'http://a.com/' } }
    const context = extracted({ 'actor-chain': 'clerk' }).setValue(spanKey, span)
    expect(injected(context, { 'actor-chain': 'clerk' })).to.equal(undefined)
  })

  it('removes what an earlier call left in shared gRPC metadata', () => {
    const shared = new Metadata()
    shared.set('actor-chain', 'clinician')
    const context = extracted({}).setValue(spanKey, { kind: clientKind, attributes: listed })
    propagator.inject(context, shared, { set: (metadata, key, value) => metadata.set(key, value) })
    expect(shared.get('actor-chain')).to.deep.equal([])
  })
})

type Headers = Record<string, string>
type Context = { getValue(key: symbol): unknown; setValue(key: symbol, value: unknown): Context }

const spanKey = Symbol.for('OpenTelemetry Context Key SPAN')
const getter = { get: (carrier: Headers, key: string) => carrier[key] }

function extracted(headers: Headers): Context {
  return propagator.extract(contextOf(new Map()), headers, getter)
}

function injected(context: Context, headers: Headers = {}): string | undefined {
  propagator.inject(context, headers, {
    set: (carrier, key, value) => {
      carrier[key] = value
    },
  })
  return headers['actor-chain']
}

/** An immutable context, as @opentelemetry/api has them. */
function contextOf(values: ReadonlyMap<symbol, unknown>): Context {
  return {
    getValue: (key) => values.get(key),
    setValue: (key, value) => contextOf(new Map([...values, [key, value]])),
  }
}

import { expect } from 'chai'
import { createRouteSketch } from '../../src/authoring/draft-route.ts'

type Seen = readonly (readonly [method: string, path: string])[]

describe('authoring/draft-route', () => {
  const cases: readonly { readonly name: string; readonly seen: Seen; readonly want: readonly string[] }[] = [
    { name: 'takes a plain path as it is', seen: [['POST', '/tasks']], want: ['POST /tasks'] },
    {
      name: 'makes one route of requests that differ in a number',
      seen: [
        ['GET', '/patients/42'],
        ['GET', '/patients/43?x=1'],
      ],
      want: ['GET /patients/{patientId}'],
    },
    {
      name: 'recognizes UUIDs, prefixed numbers, hashes, mail addresses, escapes and long words with digits',
      seen: [
        ['GET', '/a/0197f3b2-5c1e-7d3a-9b60-0d2b3f0e2a52'],
        ['GET', '/b/p-17'],
        ['GET', '/c/deadbeef01'],
        ['GET', '/d/a@b.example'],
        ['GET', '/e/caf%C3%A9'],
        ['GET', '/f/01ARZ3NDEKTSV4RRFFQ69G5FAV'],
      ],
      want: ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => `GET /${letter}/{${letter}Id}`),
    },
    {
      name: 'leaves versions, words and the root alone',
      seen: [
        ['GET', '/'],
        ['GET', '/v1/oauth2/health-check'],
      ],
      want: ['GET /', 'GET /v1/oauth2/health-check'],
    },
    {
      name: 'names parameters apart, and by the word before them where there is one',
      seen: [
        ['GET', '/orders/1/2/3/lines/4'],
        ['GET', '/1'],
      ],
      want: ['GET /orders/{orderId}/{id}/{id2}/lines/{lineId}', 'GET /{id}'],
    },
    {
      name: 'keeps a narrower route beside a wider one',
      seen: [
        ['GET', '/patients/42'],
        ['GET', '/patients/search'],
      ],
      want: ['GET /patients/search', 'GET /patients/{patientId}'],
    },
  ]
  it('keeps one of two that differ in case alone, since a catalog cannot have both', () => {
    const { routes, leftOut } = sketch([
      ['GET', '/orders/1'],
      ['GET', '/Orders/1'],
    ])
    expect([routes.map(({ match }) => match), leftOut]).to.deep.equal([['GET /orders/{orderId}'], 1])
  })

  for (const { name, seen, want } of cases) {
    it(name, () => {
      const { routes, leftOut } = sketch(seen)
      expect(leftOut).to.equal(0)
      expect(routes.map(({ match }) => match)).to.have.members(want)
    })
  }

  it('counts requests, and takes the method for the action', () => {
    const { routes } = sketch([
      ['GET', '/patients/1'],
      ['GET', '/patients/2'],
    ])
    expect(routes).to.deep.equal([{ match: 'GET /patients/{patientId}', action: 'GET', count: 2 }])
  })

  const leftOut: readonly { readonly name: string; readonly seen: Seen; readonly kept: number }[] = [
    { name: 'a path that two parsers read differently', seen: [['GET', '/a//b']], kept: 0 },
    { name: 'a method that is always refused', seen: [['get', '/a']], kept: 0 },
    { name: 'a path too long for a route', seen: [['GET', `/${'x'.repeat(600)}`]], kept: 0 },
    { name: 'no path at all', seen: [['GET', '']], kept: 0 },
    {
      name: 'a route that takes the same requests as another',
      seen: [
        ['GET', '/a/1/c'],
        ['GET', '/a/b/2'],
      ],
      kept: 1,
    },
    {
      name: 'routes too many',
      seen: Array.from({ length: 51 }, (_, index) => ['GET', `/${'x'.repeat(index + 1)}`] as const),
      kept: 50,
    },
  ]
  for (const { name, seen, kept } of leftOut) {
    it(`leaves out ${name}, and counts it`, () => {
      const found = sketch(seen)
      expect([found.routes.length, found.leftOut]).to.deep.equal([kept, 1])
    })
  }
})

function sketch(seen: Seen): ReturnType<ReturnType<typeof createRouteSketch>['result']> {
  const routes = createRouteSketch()
  for (const [method, path] of seen) routes.add(method, path)
  return routes.result()
}

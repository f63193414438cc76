import { expect } from 'chai'
import fc from 'fast-check'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import type { Param } from '../../../src/base/model/target.ts'
import { covers, matchRoute, overlaps, parseRoute, type Route } from '../../../src/policy/catalog/route.ts'

function route(text: string): Route {
  const parsed = parseRoute(text)
  if (isInvalid(parsed)) throw new TypeError(parsed.reason)
  return parsed
}

describe('policy/catalog/route', () => {
  for (const text of [
    '',
    'GET',
    '/a',
    'get /a',
    'CONNECT /a',
    'GET a',
    'GET /a b',
    'GET /a{b}',
    'GET /{a}/{a}',
    'GET /a/..',
    'GET /%41',
  ]) {
    it(`refuses \`${text}\``, () => expect(isInvalid(parseRoute(text))).to.equal(true))
  }

  const matches: readonly {
    text: string
    method: string
    path: string
    want: readonly Param[] | undefined
  }[] = [
    { text: 'GET /patients/{id}', method: 'GET', path: 'patients/42', want: [{ name: 'id', value: '42' }] },
    {
      text: 'GET /{ward}/patients/{id}',
      method: 'GET',
      path: 'west/patients/42',
      want: [
        { name: 'ward', value: 'west' },
        { name: 'id', value: '42' },
      ],
    },
    { text: 'GET /patients/{id}', method: 'POST', path: 'patients/42', want: undefined },
    { text: 'GET /patients/{id}', method: 'GET', path: 'patients/', want: undefined },
    { text: 'GET /patients/{id}', method: 'GET', path: 'patients/42/notes', want: undefined },
    { text: '* /a/**', method: 'PUT', path: 'a', want: [] },
    { text: '* /a/**', method: 'PUT', path: 'a/b/c', want: [] },
    { text: '* /a/**', method: 'PUT', path: 'ab', want: undefined },
    { text: 'GET /**', method: 'GET', path: '', want: [] },
  ]
  for (const { text, method, path, want } of matches) {
    it(`\`${text}\` ${want === undefined ? 'leaves' : 'takes'} ${method} /${path}`, () => {
      expect(matchRoute(route(text), method, path.split('/'))).to.deep.equal(want)
    })
  }

  const texts = [
    'GET /a',
    'GET /{x}',
    '* /{x}',
    'GET /a/{y}',
    'GET /a/**',
    '* /**',
    'POST /a',
    'GET /{x}/b',
    'GET /a/b',
  ].map(route)
  const requests = ['', 'a', 'b', 'a/b', 'a/c', 'b/b', 'a/b/c'].flatMap((path) =>
    ['GET', 'POST'].map((method) => ({ method, segments: path.split('/') })),
  )

  it('calls two routes overlapping exactly when some request matches both, and covering when all do', () => {
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.constantFrom(...texts), (a, b) => {
        const taken = (r: Route) =>
          requests.filter(({ method, segments }) => matchRoute(r, method, segments) !== undefined)
        const [ofA, ofB] = [taken(a), taken(b)]
        const shared = ofA.filter((request) => ofB.includes(request))
        if (shared.length > 0) expect(overlaps(a, b), `${a.text} overlaps ${b.text}`).to.equal(true)
        else expect(overlaps(a, b), `${a.text} overlaps ${b.text}`).to.equal(false)
        if (covers(a, b)) expect(shared, `${a.text} covers ${b.text}`).to.have.length(ofB.length)
      }),
    )
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { createTwinFinder, foldName, isOddName } from '../../../src/base/http/header-name.ts'
import type { Headers } from '../../../src/base/model/check-input.ts'

/**
 * The characters that Envoy accepts in a header name, by HTTP/1.1 and HTTP/2, besides letters and digits (RFC 9110
 * §5.6.2).
 */
const punctuation = [..."!#$%&'*+-.^_`|~"]
const names = ['actor-chain', 'x-forwarded-client-cert', 'x_token']

/** The environment variable that CGI makes of a header (RFC 3875 §4.1.18, as lighttpd and WSGI servers do it). */
function toCgi(name: string): string {
  return [...name.toUpperCase()].map((letter) => (/[A-Z0-9]/.test(letter) ? letter : '_')).join('')
}

describe('base/http/header-name', () => {
  for (const character of punctuation) {
    it(`finds \`actor${character}chain\` and \`x${character}token\``, () => {
      const spelled = [`actor${character}chain`, `x${character}token`]
      const received = new Map([...spelled, 'x-other', 'actorchain'].map((name) => [name, ['']]))
      const own = spelled.filter((name) => names.includes(name))
      const twins = createTwinFinder(names)(received)
      expect([...twins, ...own].sort()).to.deep.equal(spelled.sort())
    })
  }

  it('finds every name that CGI takes for ours, and no other', () => {
    const character = fc.constantFrom(...punctuation, 'a', 'x', '1')
    const any = fc.string({ unit: character, minLength: 1, maxLength: 12 })
    const twisted = fc
      .tuple(fc.constantFrom(...names), fc.array(fc.constantFrom(...punctuation)))
      .map(([name, others]) => name.replace(/[-_]/g, () => others.shift() ?? '.'))
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof(any, twisted), { maxLength: 6 }), fc.boolean(), (list, isRead) => {
        const map = new Map(list.map((name) => [name, ['']]))
        const received: Headers = isRead ? Object.assign(map, { oddNames: list.filter(isOddName) }) : map
        const ours = new Set(names.map(toCgi))
        const want = list.filter((name) => ours.has(toCgi(name)) && !names.includes(name))
        expect(createTwinFinder(names)(received)).to.deep.equal(want)
      }),
      { numRuns: 1000 },
    )
  })

  it('takes pseudo headers for plain names', () => {
    expect([':path', 'x-1', 'te'].some(isOddName)).to.equal(false)
    expect(punctuation.filter((character) => isOddName(`x${character}y`))).to.deep.equal(
      punctuation.filter((character) => character !== '-'),
    )
  })

  it('folds both cases alike', () => expect(foldName('X.HTTP_Method')).to.equal('x-http-method'))
})

import { expect } from 'chai'
import fc from 'fast-check'
import { isDeny } from '../../src/base/model/decision.ts'
import { type CatalogService, parseCatalog } from '../../src/policy/catalog/catalog.ts'
import { targetOf } from '../../src/policy/catalog/target.ts'
import { waypoint, workload } from '../support/policy-files.ts'

const literal = fc.constantFrom('admin', 'Admin', 'ADMIN', 'a', 'A', 'users', 'x', 'x.', 'all', 'All')
const segment = fc.oneof({ weight: 3, arbitrary: literal }, { weight: 1, arbitrary: fc.constant('{}') })
const template = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([segments, hasRest]) => {
    const named = segments.map((text, index) => (text === '{}' ? `{p${index}}` : text))
    return `/${named.join('/')}${hasRest ? '/**' : ''}`
  })
const method = fc.constantFrom('GET', 'HEAD', '*')
const routes = fc.uniqueArray(
  fc.tuple(method, template).map(([name, path]) => `${name} ${path}`),
  { minLength: 1, maxLength: 5 },
)
const plainPath = fc
  .array(fc.constantFrom('admin', 'a', 'users', 'x', 'all', 'p-7'), { minLength: 1, maxLength: 4 })
  .map((segments) => `/${segments.join('/')}`)

const wide = (letter: string) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0)

/** The spellings that a server may fold or trim, one for each kind. Each keeps the path that such a server reads. */
const twists = {
  case: (path: string, at: number) => path.slice(0, at) + path.charAt(at).toUpperCase() + path.slice(at + 1),
  wide: (path: string, at: number) => {
    const letter = path.charAt(at)
    return /[a-z]/.test(letter) ? path.slice(0, at) + wide(letter) + path.slice(at + 1) : path
  },
  slash: (path: string, at: number) => {
    const slash = path.indexOf('/', at)
    return slash > 0 ? `${path.slice(0, slash)}／${path.slice(slash + 1)}` : path
  },
  dots: (path: string, at: number) => beforeSlash(path, at, '..'),
  blank: (path: string, at: number) => beforeSlash(path, at, ' '),
  wideBlank: (path: string, at: number) => beforeSlash(path, at, '\u3000.'),
  parameter: (path: string, at: number) => beforeSlash(path, at, '；v=1'),
  invisible: (path: string, at: number) => `${path.slice(0, at + 1)}\u200b${path.slice(at + 1)}`,
  none: (path: string) => path,
}

function beforeSlash(path: string, at: number, text: string): string {
  const slash = path.indexOf('/', at + 1)
  return slash === -1 ? `${path}${text}` : `${path.slice(0, slash)}${text}${path.slice(slash)}`
}

const twist = fc.tuple(fc.constantFrom(...Object.keys(twists)), fc.nat({ max: 20 }))

describe('a path in any spelling', () => {
  for (const isCaseSensitive of [false, true]) {
    it(`takes the route of the plain path or none, ${isCaseSensitive ? 'cases apart' : 'whatever its case'}`, () => {
      const seen = { same: 0, refused: 0 }
      const request = fc.tuple(routes, plainPath, fc.array(twist, { minLength: 1, maxLength: 3 }))
      fc.assert(
        fc.property(request, fc.constantFrom('GET', 'HEAD', 'POST'), ([texts, plain, steps], asked) => {
          const service = toService(texts, isCaseSensitive)
          const lenient = toService(texts, isCaseSensitive, (text) => toLenient(text, isCaseSensitive))
          if (service === undefined || lenient === undefined) return
          const twisted = steps.reduce((path, [kind, at]) => {
            if (isCaseSensitive && kind === 'case') return path
            return twists[kind as keyof typeof twists](path, at % path.length)
          }, plain)
          const path = encodeURI(twisted).replaceAll('%25', '%')
          const want = takenBy(lenient, asked, plain)
          const found = takenBy(service, asked, path)
          if (found === undefined) seen.refused++
          else {
            expect(found, `${asked} ${twisted} for ${plain}, ${texts.join(', ')}`).to.equal(want)
            seen.same++
          }
        }),
        { numRuns: 1500 },
      )
      expect(Math.min(seen.same, seen.refused), JSON.stringify(seen)).to.be.greaterThan(50)
    })
  }
})

/** Routes as a server reads them that folds case, or only trims. */
function toLenient(match: string, isCaseSensitive: boolean): string {
  const [name = '', path = ''] = match.split(' ')
  const trimmed = path.replaceAll('x.', 'x')
  return isCaseSensitive ? `${name} ${trimmed}` : `${name} ${trimmed.toLowerCase()}`
}

/** A service with routes, each with its text as scope, and written as `write` has it. */
function toService(
  texts: readonly string[],
  caseSensitive: boolean,
  write = (text: string) => text,
): CatalogService | undefined {
  const routes = texts.map((text) => ({ match: write(text), action: 'read', scope: text }))
  const service = { name: 'a', addresses: ['a:80'], spiffeId: workload('a'), waypoint, caseSensitive, routes }
  const catalog = parseCatalog(JSON.stringify({ services: [service] }))
  return 'services' in catalog ? catalog.services[0] : undefined
}

/** The route that takes a request, by its scope. */
function takenBy(service: CatalogService, asked: string, path: string): string | undefined {
  const target = targetOf(service, { method: asked, path, isUpgrade: false })
  return isDeny(target) ? undefined : target.requiredScope
}

import { expect } from 'chai'
import fc from 'fast-check'
import { isDeny } from '../../../src/base/model/decision.ts'
import { parseRequestPath } from '../../../src/policy/catalog/path.ts'

describe('policy/catalog/path', () => {
  const accepted = [
    { name: 'a plain path', path: '/patients/42', segments: ['patients', '42'] },
    { name: 'the root', path: '/', segments: [''] },
    { name: 'a query, cut at the first `?`', path: '/a?b=/../c?d', segments: ['a'] },
    { name: 'an escaped space, decoded once', path: '/a%20b', segments: ['a b'] },
    { name: 'escaped UTF-8', path: '/%C3%A9', segments: ['é'] },
    { name: 'an escaped percent before no hexadecimal digits', path: '/100%25', segments: ['100%'] },
    { name: 'dots within a segment', path: '/v1.2/a..b', segments: ['v1.2', 'a..b'] },
    { name: 'brackets as they are', path: '/a[0]/b', segments: ['a[0]', 'b'] },
    { name: 'escaped brackets', path: '/a%5B0%5d/b', segments: ['a[0]', 'b'] },
  ]
  for (const { name, path, segments } of accepted) {
    it(`takes ${name}`, () => {
      expect(parseRequestPath(path)).to.deep.equal({ path: `/${segments.join('/')}`, segments })
    })
  }

  const refused = [
    ['an empty path', ''],
    ['no leading slash', 'admin'],
    ['the asterisk form', '*'],
    ['the absolute form', 'http://other/admin'],
    ['a double slash', '/a//b'],
    ['a leading double slash', '//admin/x'],
    ['an escaped slash', '/a%2fb'],
    ['an escaped slash in upper case', '/a%2Fb'],
    ['an escaped backslash', '/a%5cb'],
    ['a backslash', '/a\\b'],
    ['a parent segment', '/a/../b'],
    ['a last parent segment', '/a/..'],
    ['a dot segment', '/a/./b'],
    ['escaped dots', '/a/%2e%2e/b'],
    ['a matrix parameter', '/a;x=1/b'],
    ['an escaped semicolon', '/a%3bb'],
    ['an escaped letter', '/%61dmin'],
    ['an escaped digit', '/%34'],
    ['a doubly escaped slash', '/a%252fb'],
    ['an escaped NUL', '/a%00'],
    ['an escaped newline', '/a%0a'],
    ['an incomplete escape', '/a%2'],
    ['an escape of no hexadecimal digits', '/a%zz'],
    ['invalid UTF-8', '/%ff'],
    ['overlong UTF-8', '/%c0%ae'],
    ['a raw non-ASCII character', '/é'],
    ['a space', '/a b'],
    ['a fragment', '/a#b'],
    ['a path that is too long', `/${'a'.repeat(9000)}`],
  ]
  for (const [name, path] of refused) {
    it(`refuses ${name}`, () => {
      expect(parseRequestPath(path ?? '')).to.have.property('code', 'path_ambiguous')
    })
  }

  for (const [path, named] of [
    ['/a|b', '`|`'],
    ['/a"b', '`%22`'],
    ['/a b', 'U+0020'],
    ['/é', 'U+00E9'],
    ['/a;b', '`;`'],
    ['/a\\b', '`\\`'],
    ['/a#b', '`%23`'],
    ['/a\u{1f600}', 'U+1F600'],
    ['admin', '`/`'],
  ]) {
    it(`names what it refuses in ${path}`, () => {
      const parsed = parseRequestPath(path ?? '')
      expect(isDeny(parsed) && parsed.reason).to.include(named)
    })
  }

  it('never throws, and what it takes has no separator left in a segment', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webPath(),
          fc.string({ unit: fc.constantFrom('/', '%', '2', 'f', '.', ';', '5', 'c', 'a') }),
        ),
        (path) => {
          const parsed = parseRequestPath(path)
          if (!isDeny(parsed))
            for (const segment of parsed.segments) expect(segment).to.not.match(/[/\\]|^\.\.?$/)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

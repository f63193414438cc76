import { expect } from 'chai'
import fc from 'fast-check'
import { foldSegments, isFolded } from '../../../src/policy/catalog/folded-path.ts'

const fold = (path: string, isCaseSensitive = false) =>
  foldSegments(path.slice(1).split('/'), isCaseSensitive)?.join('/')

describe('policy/catalog/folded-path', () => {
  const alike: readonly (readonly [string, ...string[]])[] = [
    ['admin/x', '/admin/x', '/ADMIN/x', '/Admin/X', '/ａｄｍｉｎ/x', '/ADMİN/x', '/admın/x'],
    [
      'admin/x',
      '/admin./x',
      '/admin.../x.',
      '/admin /x',
      '/admin . ./x',
      '/ admin/x',
      '/admin\u00a0/x\u3000',
    ],
    ['admin/x', '/ad\u00admin/x', '/ad\u200bmin/x', '/\ufeffadmin/x\ufe0f'],
    ['admin/x', '/admin／x', '/admin＼x', '/admin；v=1/x', '/admin\u037ev/x', '/admin﹨x'],
    ['strasse', '/straße', '/STRASSE', '/straẞe'],
    ['kelvin', '/\u212aelvin', '/Kelvin'],
    ['fi', '/ﬁ', '/FI'],
    ['σ', '/Σ', '/σ', '/ς'],
    ['', '/'],
    ['a/', '/a/', '/A/', '/a./'],
    ['.well-known/a', '/.well-known/a', '/.Well-Known/a'],
    ['a.b/c', '/a.b/c'],
    ['100%', '/100%', '/100％'],
  ]
  for (const [want, ...paths] of alike) {
    it(`folds ${paths.join(' ')} to ${want}`, () => {
      expect(new Set(paths.map((path) => fold(path)))).to.deep.equal(new Set([want]))
    })
  }

  const odd = [
    '/a/.../b',
    '/a/ /b',
    '/a/. ./b',
    '/a／／b',
    '/a/．．/b',
    '/a/\u2025/b',
    '/a/\u200b/b',
    '/％2e',
    '/%\u200b41',
    '/；/b',
    '/...',
  ]
  for (const path of odd) it(`gives up on ${path}`, () => expect(fold(path)).to.equal(undefined))

  it('leaves cases apart for a service that tells them apart, and folds all else', () => {
    expect(fold('/Admin./X ', true)).to.equal('Admin/X')
    expect(fold('/ＡDMIN', true)).to.equal('ADMIN')
  })

  it('changes nothing of what it has folded', () => {
    const segment = fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
      fc.string({ unit: fc.constantFrom(...'aAİıſßẞΣς.  ．／K'), minLength: 1, maxLength: 6 }),
    )
    fc.assert(
      fc.property(
        fc.array(segment, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (segments, isCaseSensitive) => {
          const folded = foldSegments(segments, isCaseSensitive)
          if (folded !== undefined) expect(foldSegments(folded, isCaseSensitive)).to.deep.equal(folded)
        },
      ),
      { numRuns: 1500 },
    )
  })

  it('folds upper and lower case of any text alike', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }), (text) => {
        const texts = [text, text.toLowerCase(), text.toUpperCase()]
        const [one, ...others] = texts.map((each) => foldSegments([each], false))
        for (const other of others) expect(other).to.deep.equal(one)
      }),
      { numRuns: 1500 },
    )
  })

  it('knows a folded path at a glance, and takes no other for one', () => {
    const path = fc
      .array(fc.string({ unit: fc.constantFrom(...'abAZ09.-_~ ;%é'), minLength: 1, maxLength: 5 }), {
        minLength: 1,
        maxLength: 3,
      })
      .map((segments) => `/${segments.join('/')}`)
    fc.assert(
      fc.property(path, (text) => {
        if (isFolded(text)) expect(`/${fold(text)}`).to.equal(text)
      }),
      { numRuns: 1500 },
    )
    expect(['/', '/patients/p-7', '/a.b/c', '/a[0]', '/patients/'].every(isFolded)).to.equal(true)
  })
})

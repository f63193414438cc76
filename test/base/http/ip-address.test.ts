import { BlockList } from 'node:net'
import { expect } from 'chai'
import fc from 'fast-check'
import { parseIp, toCanonicalIp } from '../../../src/base/http/ip-address.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'

/** Eight groups of 16 bits, with runs of zeros as real addresses have them. */
const groups = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 0xffff })), { minLength: 8, maxLength: 8 })

/** The same groups in many spellings: padded, in any case, perhaps with `::` and an end in decimal. */
function spellingsOf(parts: readonly number[], random: readonly boolean[]): string {
  const [isPadded, isUpper, isShort, isDotted] = random
  const texts = parts.map((part) => part.toString(16).padStart(isPadded ? 4 : 1, '0'))
  const [high = 0, low = 0] = parts.slice(6)
  const end = [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
  const written = isDotted ? [...texts.slice(0, 6), end] : texts
  const zeros = /(?:^|:)0+(?::0+)*(?=:|$)/.exec(written.join(':'))
  const text =
    isShort && zeros !== null
      ? `${written.join(':').slice(0, zeros.index)}::${written
          .join(':')
          .slice(zeros.index + zeros[0].length)
          .replace(/^:/, '')}`
      : written.join(':')
  return isUpper ? text.toUpperCase() : text
}

describe('base/http/ip-address', () => {
  const spellings = [
    ['10.96.0.11', '::ffff:10.96.0.11', '::FFFF:0a60:000b', '0:0:0:0:0:ffff:a60:b'],
    ['::1', '0:0:0:0:0:0:0:1', '0000:0000:0000:0000:0000:0000:0000:0001', '::0001', '0::1', '::0.0.0.1'],
    ['fd00::a', 'FD00::A', 'fd00:0:0:0:0:0:0:a', 'fd00::0:a', 'fd00::0.0.0.10'],
    ['::', '0::0', '0:0:0:0:0:0:0:0', '::0.0.0.0'],
    ['2001:db8::1:0:0:1', '2001:db8:0:0:1:0:0:1', '2001:0DB8::1:0:0:1'],
    ['1:0:0:2::3', '1:0:0:2:0:0:0:3', '1::2:0:0:0:3'],
    ['0:2:3:4:5:6:7:8', '::2:3:4:5:6:7:8'],
  ]
  for (const [one = '', ...others] of spellings) {
    it(`knows one address in ${others.length + 1} spellings: ${one}`, () => {
      expect([one, ...others].map(parseIp)).to.deep.equal([one, ...others].map(() => one))
    })
  }

  const refused = [
    '',
    '010.0.0.1',
    '10.0.0.01',
    '::ffff:010.0.0.1',
    '10.0.0',
    '10.1',
    '167772161',
    '0xa.0.0.1',
    '10.0.0.1.',
    '10.0.0.256',
    '10.0.0.1/32',
    ' 10.0.0.1',
    '１０.0.0.1',
    '[::1]',
    ':::',
    '::1::',
    ':1',
    '1:',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4::5:6:7:8',
    '00001::',
    'g::',
    '1.2.3.4::',
    '::1.2.3.4:5',
    'fe80::1%eth0',
  ]
  for (const text of refused) {
    it(`refuses \`${text}\``, () => {
      expect(isInvalid(Object(parseIp(text)))).to.equal(true)
      expect(toCanonicalIp(text)).to.equal(text)
    })
  }

  it('says what a leading zero might mean, and that a zone is none of an address', () => {
    const reasonOf = (text: string) => Object(parseIp(text)).reason
    expect(reasonOf('010.0.0.1')).to.include('`010`').and.include('octal')
    expect(reasonOf('fe80::1%eth0')).to.include('zone')
  })

  it('writes IPv6 as the URL parser does, whatever spelling it gets', () => {
    fc.assert(
      fc.property(groups, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), (parts, random) => {
        const text = spellingsOf(parts, random)
        const mapped = parts.slice(0, 5).every((part) => part === 0) && parts[5] === 0xffff
        fc.pre(!mapped)
        expect(`[${toCanonicalIp(text)}]`, text).to.equal(new URL(`http://[${text}]/`).hostname)
      }),
      { numRuns: 1000 },
    )
  })

  it('gives two texts one spelling just if the kernel takes them for one address', () => {
    const address = fc.oneof(
      fc
        .tuple(groups, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
        .map(([parts, random]) => spellingsOf(parts, random)),
      fc.ipV4(),
      fc.ipV4().map((text) => `::ffff:${text}`),
    )
    // Often the same address twice, and often one that differs in one group.
    const pair = fc.oneof(
      fc.tuple(address, address),
      fc.ipV4().map((text) => [text, `::FFFF:${text}`] as const),
      address.map((text) => [text, text.toUpperCase()] as const),
    )
    fc.assert(
      fc.property(pair, ([one, other]) => {
        const list = new BlockList()
        list.addAddress(one, familyOf(one))
        expect(toCanonicalIp(one) === toCanonicalIp(other), `${one} ${other}`).to.equal(
          list.check(other, familyOf(other)),
        )
      }),
      { numRuns: 1000 },
    )
  })
})

function familyOf(text: string): 'ipv4' | 'ipv6' {
  return text.includes(':') ? 'ipv6' : 'ipv4'
}

import { expect } from 'chai'
import { generateKey, parseChainKeys, toJwks } from '../../../src/decision/chain/keys.ts'
import { parseJwks } from '../../../src/decision/jws/key-set.ts'
import { good, problemsOf, readKey } from '../../support/forge.ts'

const active = readKey('chain')
const next = readKey('chain-es256')

describe('decision/chain/keys', () => {
  it('signs with the active key and verifies with all', () => {
    const keys = good(parseChainKeys(files({ 'active.jwk.json': active, 'next.jwk.json': next })))
    expect(keys.signing.public.kid).to.equal('chain-1')
    expect([...keys.verifying.keys.keys()]).to.deep.equal(['chain-1', 'chain-es256'])
  })

  it('publishes a JWK Set without private members', () => {
    const keys = good(parseChainKeys(files({ 'active.jwk.json': active, 'previous.jwk.json': next })))
    const published = good(parseJwks(JSON.stringify(toJwks(keys.verifying))))
    expect([...published.keys.keys()]).to.deep.equal(['chain-1', 'chain-es256'])
  })

  it('takes a previous key whose private half is gone', () => {
    const previous = JSON.stringify({ ...JSON.parse(next), d: undefined })
    const keys = good(parseChainKeys(files({ 'active.jwk.json': active, 'previous.jwk.json': previous })))
    expect(keys.verifying.keys.has('chain-es256')).to.equal(true)
  })

  it('generates keys that sign, each with a name of its own', () => {
    const [one, other] = [generateKey(), generateKey()]
    const keys = good(parseChainKeys(files({ 'active.jwk.json': one, 'next.jwk.json': other })))
    expect(keys.signing.public.alg).to.equal('ES256')
    expect(keys.verifying.keys.size).to.equal(2)
  })

  const refused = [
    { name: 'no active key', files: { 'next.jwk.json': next }, names: ['active.jwk.json'] },
    {
      name: 'an active key that is public',
      files: { 'active.jwk.json': JSON.stringify({ ...JSON.parse(active), d: undefined }) },
      names: ['active.jwk.json'],
    },
    {
      name: 'one key in two files',
      files: { 'active.jwk.json': active, 'previous.jwk.json': active },
      names: ['previous.jwk.json'],
    },
    {
      name: 'broken keys, every one of them',
      files: { 'active.jwk.json': '{', 'next.jwk.json': '[]', 'previous.jwk.json': '{}' },
      names: ['active.jwk.json', 'next.jwk.json', 'previous.jwk.json'],
    },
  ]
  for (const { name, files: texts, names } of refused) {
    it(`reports ${name} by file`, () => {
      const problems = problemsOf(parseChainKeys(files(texts)))
      expect(problems.map(({ reason }) => reason.slice(0, reason.indexOf(':')))).to.deep.equal(names)
    })
  }
})

function files(texts: Readonly<Record<string, string | undefined>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(texts).flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const])),
  )
}

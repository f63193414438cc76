import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseRecord, toChain } from '../../../src/audit/format/parse-record.ts'
import { createPseudonyms, readPseudonyms, withPseudonym } from '../../../src/audit/format/pseudonym.ts'
import { formatRecord } from '../../../src/audit/format/record.ts'
import { toRecord } from '../../../src/audit/format/to-record.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { deniedParts } from '../../support/decision.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const secret = '0123456789abcdef0123456789abcdef'
const pseudonymize = createPseudonyms(secret)

describe('audit/format/pseudonym', () => {
  it('names a user always the same, and no two alike', () => {
    const names = [
      pseudonymize('hospital', 'clerk'),
      pseudonymize('hospital', 'chief'),
      pseudonymize('partner', 'clerk'),
      createPseudonyms(`${secret}x`)('hospital', 'clerk'),
    ]
    expect(new Set(names).size).to.equal(4)
    expect(pseudonymize('hospital', 'clerk'))
      .to.equal(names[0])
      .and.to.match(/^~[\w-]{22}$/)
  })

  it('leaves the id of the user nowhere in the record, and all else as it was', () => {
    const { decision, ...parts } = deniedParts()
    if (decision.kind !== 'deny') throw new Error('expected a denial')
    const policy = { id: 'a.cedar#1', file: 'a.cedar', line: 1 }
    const error = { policy, message: '`User::"hospital/clerk"` does not have the attribute `ward`' }
    const results = decision.results.map((result) => ({ ...result, errors: [error] }))
    const reason = 'the user hospital/clerk is not permitted'
    const record = toRecord({ ...parts, decision: { ...decision, reason, results } })
    const hidden = withPseudonym(record, pseudonymize)
    const line = formatRecord(hidden)
    expect(line).not.to.include('clerk')
    expect(JSON.parse(line.replaceAll(pseudonymize('hospital', 'clerk'), 'clerk'))).to.deep.equal({
      ...JSON.parse(formatRecord(record)),
      pseudonymized: true,
    })
  })

  it('leaves a record alone that names no user', () => {
    const record = toRecord({ ...deniedParts(), chain: { kind: 'none' } })
    expect(withPseudonym(record, pseudonymize)).to.equal(record)
  })

  it('is said in the record, which is not judged again by the name that no policy knows', () => {
    const parsed = parseRecord(formatRecord(withPseudonym(toRecord(deniedParts()), pseudonymize)))
    if (isInvalid(parsed)) throw new Error(parsed.reason)
    expect(parsed.pseudonymized).to.equal(true)
    expect(isInvalid(toChain(parsed))).to.equal(true)
  })

  it('needs a secret of some length', () => {
    const file = join(temporaryDirectory(), 'secret')
    expect(readPseudonyms(file)).to.have.property('kind', 'invalid')
    writeFileSync(file, 'short\n')
    expect(readPseudonyms(file)).to.have.property('kind', 'invalid')
    writeFileSync(file, `${secret}\n`)
    const read = readPseudonyms(file)
    expect(typeof read === 'function' && read('hospital', 'clerk')).to.equal(
      pseudonymize('hospital', 'clerk'),
    )
  })
})

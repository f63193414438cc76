import { expect } from 'chai'
import { lint } from '../../src/authoring/lint.ts'
import { draftNewService, type NewService } from '../../src/authoring/new-service.ts'
import { isInvalid } from '../../src/base/model/invalid.ts'
import type { Revision } from '../../src/policy/revision/revision.ts'
import { toPolicyFiles } from '../../src/policy/source/policy-files.ts'
import { hospitalRevision, mustLoad } from '../support/policy-files.ts'

const asked: NewService = { name: 'price-list', owner: 'insurance-team' }

describe('authoring/new-service', () => {
  let sample: Revision
  before(async () => {
    sample = await hospitalRevision()
  })

  function withDraft(change: Partial<NewService> = {}): Revision {
    const draft = draftNewService({ ...asked, ...change }, sample)
    if (isInvalid(draft)) throw new TypeError(draft.reason)
    return mustLoad(toPolicyFiles(new Map([...sample.files, ...draft.files])))
  }

  it('drafts an entry with an owner, and the patterns in the owner’s folder; together they load', () => {
    const { catalog, policies } = withDraft()
    const service = catalog.byName.get('price-list')
    expect(service).to.include({ owner: 'insurance-team', isEntry: false, forwards: false })
    const ids = policies.filter(({ file }) => file === 'insurance-team/price-list.cedar').map(({ id }) => id)
    expect(ids.map((id) => id.replace(/^.*#/, ''))).to.deep.equal([
      'agent-calls',
      'agents-delegate',
      'for-users',
      'these-users-only',
    ])
  })

  it('gives lint nothing to complain of but its placeholders', () => {
    const found = lint(withDraft()).map(({ rule, message }) => [rule, /change-me/.test(message)])
    expect(found).to.deep.equal([
      ['unknown-name', true],
      ['unknown-name', true],
    ])
  })

  it('takes what it is told, and guesses the rest', () => {
    const told = withDraft({
      namespace: 'hospital',
      address: ['10.96.0.12:8080'],
      entry: true,
      forwards: true,
    })
    const service = told.catalog.byName.get('price-list')
    expect(service?.spiffeId.uri).to.equal('spiffe://hospital.example/ns/hospital/sa/price-list')
    expect(service?.addresses.map(({ text }) => text)).to.deep.equal(['10.96.0.12:8080'])
    expect(service).to.include({ isEntry: true, forwards: true })
  })

  const refused: readonly { readonly name: string; readonly change: Partial<NewService> }[] = [
    { name: 'a name that is taken', change: { name: 'insurance' } },
    { name: 'a file that is there', change: { name: 'billing-agent', owner: 'billing-team' } },
    { name: 'an owner that is no folder', change: { owner: '../elsewhere' } },
    { name: 'what would not load', change: { address: ['10.96.0.10:8080'] } },
    { name: 'an identity that is none', change: { spiffeId: 'price-list' } },
    { name: 'a name that is none', change: { name: 'Price List' } },
  ]
  for (const { name, change } of refused) {
    it(`refuses ${name}`, () => {
      expect(draftNewService({ ...asked, ...change }, sample)).to.include({ kind: 'invalid' })
    })
  }
})

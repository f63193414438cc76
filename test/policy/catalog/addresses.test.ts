import { expect } from 'chai'
import { namesToResolve, withResolved } from '../../../src/policy/catalog/addresses.ts'
import { mustLoad, policyFiles, waypoint, workload } from '../../support/policy-files.ts'

const service = (name: string, ...addresses: readonly string[]) => ({
  name,
  addresses,
  spiffeId: workload(name),
  waypoint,
})
const services = [
  service('records', 'records.svc:80'),
  service('insurance', 'insurance.svc:80', 'insurance.svc:81'),
  service('known', 'known.svc:80', '10.0.0.9:80'),
  service('six', 'six.svc:80', '[fd00::10]:80'),
]
const { catalog } = mustLoad(policyFiles({ 'services.yaml': JSON.stringify({ services }) }))
const owners = (resolved: Readonly<Record<string, readonly string[]>>) => {
  const { byAddress } = withResolved(catalog, new Map(Object.entries(resolved)))
  return Object.fromEntries(
    [...byAddress].flatMap(([address, { name }]) =>
      address.includes('svc') || address.includes('::10') ? [] : [[address, name]],
    ),
  )
}

describe('policy/catalog/addresses', () => {
  it('asks for the names of services that give no VIP', () => {
    expect(namesToResolve(catalog)).to.deep.equal(['records.svc', 'insurance.svc'])
  })

  const rows = [
    {
      name: 'each port of a name',
      resolved: { 'insurance.svc': ['10.0.0.2'] },
      want: { '10.0.0.9:80': 'known', '10.0.0.2:80': 'insurance', '10.0.0.2:81': 'insurance' },
    },
    {
      name: 'both families',
      resolved: { 'records.svc': ['10.0.0.1', 'fd00::1'] },
      want: { '10.0.0.9:80': 'known', '10.0.0.1:80': 'records', '[fd00::1]:80': 'records' },
    },
    {
      name: 'one address for all spellings of an answer',
      resolved: { 'records.svc': ['::ffff:10.0.0.1', 'FD00:0:0:0::1'] },
      want: { '10.0.0.9:80': 'known', '10.0.0.1:80': 'records', '[fd00::1]:80': 'records' },
    },
    {
      name: 'neither of two that claim one address in two spellings',
      resolved: { 'records.svc': ['::ffff:10.0.0.9'] },
      want: {},
    },
    {
      name: 'neither of two that claim one address',
      resolved: { 'records.svc': ['10.0.0.1'], 'insurance.svc': ['10.0.0.1'] },
      want: { '10.0.0.9:80': 'known', '10.0.0.1:81': 'insurance' },
    },
    { name: 'not even the one that gives it itself', resolved: { 'records.svc': ['10.0.0.9'] }, want: {} },
    { name: 'nothing new when nothing resolves', resolved: {}, want: { '10.0.0.9:80': 'known' } },
  ]
  for (const { name, resolved, want } of rows) {
    it(`finds ${name}`, () => expect(owners(resolved)).to.deep.equal(want))
  }
})

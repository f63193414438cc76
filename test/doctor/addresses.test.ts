import { expect } from 'chai'
import { dnsFindings } from '../../src/doctor/addresses.ts'
import { playDoctorTable } from '../support/doctor-table.ts'
import { add, change, object, remove } from '../support/healthy-cluster.ts'

const insurance = 'insurance.hospital.svc.cluster.local:8080'
const entry = object('ServiceEntry', 'hospital', 'legacy', {
  spec: { hosts: ['insurance.legacy.example'], addresses: ['10.96.0.10'] },
})

describe('doctor/addresses', () => {
  playDoctorTable([
    {
      name: 'a name of no Service',
      catalog: [insurance, 'insurence.hospital.svc:8080'],
      want: ['address_unknown'],
    },
    {
      name: 'a Service that is gone',
      mutate: remove('Service/hospital/insurance'),
      want: ['address_unknown', 'vip_differs'],
    },
    {
      name: 'the host of a ServiceEntry',
      mutate: add(entry),
      catalog: [insurance, 'insurance.legacy.example:8080'],
      want: [],
    },
    { name: 'a VIP that moved', catalog: ['10.96.0.10:8080', '10.96.0.77:8080'], want: ['vip_differs'] },
    {
      name: 'a VIP of nobody, alone',
      catalog: [`${insurance}, 10.96.0.10:8080`, '10.96.0.77:8080'],
      want: ['vip_differs'],
    },
    { name: 'a VIP alone', catalog: [`${insurance}, 10.96.0.10:8080`, '10.96.0.10:8080'], want: [] },
    {
      name: 'a port that the Service has not',
      catalog: [insurance, insurance.replace('8080', '80')],
      want: ['port_unknown'],
    },
    {
      name: 'a headless Service',
      mutate: change('Service/hospital/insurance', { spec: { clusterIP: 'None', clusterIPs: ['None'] } }),
      want: ['headless'],
    },
    {
      name: 'a Service that is a mere name',
      mutate: change('Service/hospital/insurance', {
        spec: { type: 'ExternalName', clusterIP: undefined, clusterIPs: undefined },
      }),
      want: ['headless'],
    },
    {
      name: 'two services on one VIP',
      catalog: [
        'patient-records.hospital.svc.cluster.local:8080, 10.96.0.11:8080',
        'insurance.hospital.svc:8080',
      ],
      want: ['vip_shared', 'identity_differs'],
    },
    {
      name: 'a ServiceEntry on the VIP of another service',
      mutate: add(entry),
      catalog: [
        'patient-records.hospital.svc.cluster.local:8080',
        'insurance.legacy.example:8080, patient-records.hospital.svc.cluster.local:8080',
      ],
      want: ['vip_shared'],
    },
  ])

  it('finds the names that resolve to nothing', () => {
    const answers = new Map([
      ['a.example', ['10.0.0.1']],
      ['b.example', []],
      ['c.example', undefined],
    ])
    expect(dnsFindings(answers).map(({ id, what }) => [id, what.slice(0, 11)])).to.deep.equal([
      ['dns_unresolved', '`b.example`'],
      ['dns_unresolved', '`c.example`'],
    ])
  })
})

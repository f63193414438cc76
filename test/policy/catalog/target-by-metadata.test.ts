import { expect } from 'chai'
import { isDeny } from '../../../src/base/model/decision.ts'
import { by, findTarget, input } from '../../support/asked-target.ts'

const chain = (host: string, direction = 'inbound-vip') => [`${direction}|80|http|${host}`]
const records = 'records.test.svc.cluster.local'

describe('policy/catalog/target, in metadata mode', () => {
  const byMetadata = [
    {
      name: "Envoy's own routing names the service",
      metadata: { 'x-waypoint-service': chain(records), 'x-waypoint-authority': ['10.0.0.1:80'] },
      want: 'records',
    },
    {
      name: 'the address is not known, the name is',
      address: '10.7.7.7:80',
      metadata: { 'x-waypoint-service': chain(records) },
      want: 'records',
    },
    { name: 'no filter chain is named', metadata: {}, want: 'service_unknown' },
    {
      name: 'two filter chains are named',
      metadata: { 'x-waypoint-service': [...chain(records), ...chain(records)] },
      want: 'service_unknown',
    },
    {
      name: 'the chain leads straight to a pod',
      metadata: { 'x-waypoint-service': ['direct-http'] },
      want: 'service_unknown',
    },
    {
      name: 'the chain is of another direction',
      metadata: { 'x-waypoint-service': chain(records, 'outbound') },
      want: 'service_unknown',
    },
    {
      name: 'the chain names another port',
      metadata: { 'x-waypoint-service': [`inbound-vip|81|http|${records}`] },
      want: 'service_unknown',
    },
    {
      name: "the address is another service's",
      address: '10.0.0.2:80',
      metadata: { 'x-waypoint-service': chain(records) },
      want: 'service_unknown',
    },
    {
      name: 'authority and address differ',
      metadata: { 'x-waypoint-service': chain(records), 'x-waypoint-authority': ['10.0.0.9:80'] },
      want: 'service_unknown',
    },
    {
      name: 'authority and destination are two spellings of one address',
      address: '[fd00::a]:80',
      metadata: {
        'x-waypoint-service': chain('Records.test.svc.cluster.local.'),
        'x-waypoint-authority': ['[FD00:0:0::A]:080'],
      },
      want: 'records',
    },
    {
      name: "the address is another service's, in another spelling",
      address: '',
      metadata: { 'x-waypoint-service': chain(records), 'x-waypoint-authority': ['[::ffff:10.0.0.2]:80'] },
      want: 'service_unknown',
    },
    {
      name: 'the authority is repeated',
      metadata: {
        'x-waypoint-service': chain(records),
        'x-waypoint-authority': ['10.0.0.1:80', '10.0.0.1:80'],
      },
      want: 'service_unknown',
    },
  ]
  for (const { name, address = '10.0.0.1:80', metadata, want } of byMetadata) {
    it(`where ${name}`, () => {
      const target = findTarget(input({ address, metadata }), by('metadata'))
      expect(isDeny(target) ? target.code : target.service.name).to.equal(want)
    })
  }
})

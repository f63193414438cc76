import { expect } from 'chai'
import { isDeny } from '../../src/model/decision.ts'
import { targetOf } from '../../src/revision/target.ts'
import { mustLoad, policyFiles, waypoint, workload } from '../support/policy-files.ts'

describe('revision/target, beside a wider route', () => {
  const routes = [
    { match: 'GET /patients/{patientId}', action: 'read-it', scope: 'narrow' },
    { match: '* /**', action: 'read-it', scope: 'wide' },
    { match: 'HEAD /own', action: 'read-it', scope: 'own' },
    { match: 'GET /dir/', action: 'read-it', scope: 'slash' },
  ]
  const only = {
    name: 'records',
    addresses: ['10.0.0.1:80'],
    spiffeId: workload('records'),
    waypoint,
    routes,
  }
  const [service] = mustLoad(policyFiles({ 'services.yaml': JSON.stringify({ services: [only] }) })).catalog
    .services
  const rows = [
    { method: 'GET', path: '/patients/42', want: 'narrow' },
    { method: 'HEAD', path: '/patients/42', want: 'narrow' },
    { method: 'HEAD', path: '/own', want: 'own' },
    { method: 'HEAD', path: '/else', want: 'wide' },
    { method: 'GET', path: '/patients/42/', want: 'path_ambiguous' },
    { method: 'GET', path: '/dir/', want: 'slash' },
    { method: 'GET', path: '/', want: 'wide' },
  ]
  for (const { method, path, want } of rows) {
    it(`${method} ${path}: ${want}`, () => {
      if (service === undefined) throw new TypeError('no service')
      const target = targetOf(service, { method, path, isUpgrade: false })
      expect(isDeny(target) ? target.code : target.requiredScope).to.equal(want)
    })
  }
})

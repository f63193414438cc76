import { expect } from 'chai'
import { isDeny } from '../../../src/base/model/decision.ts'
import type { CatalogService } from '../../../src/policy/catalog/catalog.ts'
import { targetOf } from '../../../src/policy/catalog/target.ts'
import { mustLoad, policyFiles, waypoint, workload } from '../../support/policy-files.ts'

type Row = { readonly method: string; readonly path: string; readonly want: string }

function itTakes(service: CatalogService | undefined, rows: readonly Row[]): void {
  for (const { method, path, want } of rows) {
    it(`${method} ${path}: ${want}`, () => {
      if (service === undefined) throw new TypeError('no service')
      const target = targetOf(service, { method, path, isUpgrade: false })
      expect(isDeny(target) ? target.code : target.requiredScope).to.equal(want)
    })
  }
}

describe('policy/catalog/routing, beside a wider route', () => {
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
  itTakes(service, rows)
})

describe('policy/catalog/routing, in other letters', () => {
  const routes = [
    { match: '* /**', action: 'read-it', scope: 'wide' },
    { match: '* /admin/**', action: 'read-it', scope: 'admin' },
    { match: 'GET /Reports/{id}', action: 'read-it', scope: 'reports' },
    { match: 'GET /files/{name}', action: 'read-it', scope: 'file' },
  ]
  const only = { name: 'a', addresses: ['10.0.0.1:80'], spiffeId: workload('a'), waypoint, routes }
  const load = (keys: object): CatalogService | undefined =>
    mustLoad(policyFiles({ 'services.yaml': JSON.stringify({ services: [{ ...only, ...keys }] }) })).catalog
      .services[0]
  const ambiguous = 'path_ambiguous'
  const whateverItsCase: readonly Row[] = [
    { method: 'GET', path: '/admin/x', want: 'admin' },
    { method: 'GET', path: '/admin./x', want: ambiguous },
    { method: 'GET', path: '/admin../x', want: ambiguous },
    { method: 'GET', path: '/admin%20/x', want: ambiguous },
    { method: 'GET', path: '/admin%20', want: ambiguous },
    { method: 'GET', path: '/%20admin/x', want: ambiguous },
    { method: 'HEAD', path: '/admin%C2%A0/x', want: ambiguous },
    { method: 'GET', path: '/%EF%BD%81dmin/x', want: ambiguous },
    { method: 'GET', path: '/ad%C2%ADmin/x', want: ambiguous },
    { method: 'GET', path: '/admin%EF%BC%8Fx', want: ambiguous },
    { method: 'GET', path: '/x%EF%BC%8F%EF%BC%8E%EF%BC%8E%EF%BC%8Fadmin', want: ambiguous },
    { method: 'GET', path: '/admin%EF%BC%9Bv/x', want: ambiguous },
    { method: 'GET', path: '/.../x', want: ambiguous },
    { method: 'GET', path: '/x/%E2%80%A5/y', want: ambiguous },
    { method: 'GET', path: '/%EF%BC%852e', want: ambiguous },
    { method: 'GET', path: '/administration', want: 'wide' },
    { method: 'GET', path: '/x%20y/Z.', want: 'wide' },
    { method: 'GET', path: '/Reports/A', want: 'reports' },
    { method: 'GET', path: '/files/%E5%A3%B2%E4%B8%8A50%EF%BC%85.PDF', want: 'file' },
    { method: 'GET', path: '/files/a%EF%BC%8Fb', want: ambiguous },
  ]
  describe('at a service that may fold case', () => {
    itTakes(load({}), [
      ...whateverItsCase,
      { method: 'GET', path: '/ADMIN/x', want: ambiguous },
      { method: 'GET', path: '/Admin./x', want: ambiguous },
      { method: 'GET', path: '/adm%C4%B0n/x', want: ambiguous },
      { method: 'GET', path: '/adm%C4%B1n/x', want: ambiguous },
      { method: 'GET', path: '/reports/A', want: ambiguous },
      { method: 'GET', path: '/REPORTS/A', want: ambiguous },
      // Nothing in the path folds; the route does.
      { method: 'GET', path: '/reports/a', want: ambiguous },
      { method: 'HEAD', path: '/reports/a', want: ambiguous },
    ])
  })
  describe('at a service that says `caseSensitive`', () => {
    itTakes(load({ caseSensitive: true }), [
      ...whateverItsCase,
      { method: 'GET', path: '/ADMIN/x', want: 'wide' },
      { method: 'GET', path: '/reports/A', want: 'wide' },
      { method: 'GET', path: '/reports/a', want: 'wide' },
      { method: 'GET', path: '/%EF%BC%A1dmin/x', want: 'wide' },
    ])
  })
  describe('at a service without a route for it', () => {
    const routes = [{ match: 'GET /patients/{id}', action: 'read-it', scope: 'patients' }]
    itTakes(load({ routes }), [
      { method: 'GET', path: '/PATIENTS/42', want: ambiguous },
      { method: 'GET', path: '/patients/P-7', want: 'patients' },
      { method: 'GET', path: '/else', want: 'route_unknown' },
    ])
  })
  describe('at a service whose route alone has capitals', () => {
    const routes = [{ match: 'GET /Reports/{id}', action: 'read-it', scope: 'reports' }]
    itTakes(load({ routes }), [
      { method: 'GET', path: '/Reports/a', want: 'reports' },
      { method: 'GET', path: '/reports/a', want: ambiguous },
      { method: 'GET', path: '/else', want: 'route_unknown' },
    ])
  })
})

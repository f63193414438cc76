import type { Problem } from '../../base/document/problem.ts'
import { isInvalid } from '../../base/model/invalid.ts'
import type { Principal, Query } from '../../base/model/query.ts'
import { parseSpiffeId } from '../../base/model/spiffe-id.ts'
import type { Target } from '../../base/model/target.ts'
import type { Catalog, CatalogService } from '../catalog/catalog.ts'
import { connect } from '../catalog/target.ts'
import type { Revision } from './revision.ts'

/** Asks a revision about every route of its catalog once, to detect engine failures before it serves. */
export function rehearse({ catalog, evaluate }: Pick<Revision, 'catalog' | 'evaluate'>): readonly Problem[] {
  return queriesOf(catalog).flatMap((query) => {
    const { outcome, errors } = evaluate(query)
    const { service, action } = query.target
    const what = `\`${action.id}\` of \`${service.name}\``
    return outcome === 'unavailable'
      ? [
          {
            file: '.',
            message: `the policy engine failed on ${what}: ${errors[0]?.message ?? 'no reason given'}`,
          },
        ]
      : []
  })
}

function queriesOf(catalog: Catalog): readonly Query[] {
  return catalog.services.flatMap((service) =>
    targetsOf(service).flatMap((target) =>
      principalsOf(service).map(
        (principal): Query => ({
          principal,
          role: roleOf[principal.kind],
          delegatee: undefined,
          chain: { actors: [], subject: undefined, scopes: [], isRecovered: false },
          target,
        }),
      ),
    ),
  )
}

const roleOf = { agent: 'caller', user: 'subject', autonomous: 'autonomous' } as const

/** One principal of each type, because each type has its own slices. */
function principalsOf({ spiffeId, chainless }: CatalogService): readonly Principal[] {
  const nobody = parseSpiffeId(`spiffe://${spiffeId.trustDomain}/rehearsal`)
  const subject = { issuerName: 'rehearsal', issuer: 'rehearsal', id: 'rehearsal', groups: [] }
  const user: Principal = { kind: 'user', subject }
  if (isInvalid(nobody)) return [user]
  const agent: Principal = { kind: 'agent', id: nobody }
  return chainless.length === 0 ? [agent, user] : [agent, user, { kind: 'autonomous', id: nobody }]
}

function targetsOf(service: CatalogService): readonly Target[] {
  const common = { service, requiredScope: undefined, path: '/rehearsal' }
  const itself = { type: 'Service', id: service.name }
  if (service.isTcp)
    return [{ ...common, action: connect, resource: itself, params: [], method: '', path: '' }]
  if (service.routes === undefined) {
    const action = { type: 'Action', id: 'GET' }
    return [{ ...common, action, resource: itself, params: [], method: 'GET' }]
  }
  return service.routes.map(({ route, action, resource }) => ({
    ...common,
    action,
    resource: resource === undefined ? itself : { type: resource.type, id: 'rehearsal' },
    params: route.parameters.map((name) => ({ name, value: 'rehearsal' })),
    method: route.method === '*' ? 'GET' : route.method,
  }))
}

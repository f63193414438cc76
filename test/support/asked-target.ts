import type { Caller, PeerSource } from '../../src/base/model/caller.ts'
import type { CheckInput } from '../../src/base/model/check-input.ts'
import { type Deny, isDeny } from '../../src/base/model/decision.ts'
import type { Target } from '../../src/base/model/target.ts'
import type { Catalog } from '../../src/policy/catalog/catalog.ts'
import { checkWaypoint, findService, targetOf, toRequest } from '../../src/policy/catalog/target.ts'
import { caller, hospital } from './identities.ts'
import { mustLoad, policyFiles, waypoint, workload } from './policy-files.ts'

const services = {
  services: [
    {
      name: 'records',
      addresses: ['records.test.svc.cluster.local:80', '10.0.0.1:80'],
      spiffeId: workload('records'),
      waypoint,
      routes: [
        { match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' },
        { match: 'GET /patients/all', action: 'read-it' },
        { match: 'GET /live', action: 'read-it', stream: true },
        { match: 'GET /files/**', action: 'read-it' },
        { match: 'GET /folder/', action: 'read-it' },
      ],
    },
    { name: 'plain', addresses: ['10.0.0.2:80'], spiffeId: workload('plain'), waypoint },
    { name: 'raw', addresses: ['10.0.0.3:80'], spiffeId: workload('raw'), waypoint, rawPaths: true },
    { name: 'ledger', addresses: ['10.0.0.5:5432'], spiffeId: workload('ledger'), waypoint, tcp: true },
    {
      name: 'elsewhere',
      addresses: ['10.0.0.4:80'],
      spiffeId: workload('elsewhere'),
      waypoint: workload('other-waypoint'),
    },
  ],
}
/** A catalog of small services, each odd in its way. */
export const catalog: Catalog = mustLoad(policyFiles({ 'services.yaml': JSON.stringify(services) })).catalog

/** A request to one of them, as far as a test says. */
export type AskedRequest = {
  address?: string
  method?: string
  path?: string
  headers?: Record<string, string>
  metadata?: Record<string, readonly string[]>
  host?: string
}

/** A connection without HTTP, as the decoder gives it. */
export function connectionInput(address: string): CheckInput {
  return input({ address, method: '', path: '', host: '' })
}

/** The request as Envoy asks about it. */
export function input({
  address = '10.0.0.1:80',
  method = 'GET',
  path = '/patients/42',
  headers = {},
  metadata = {},
  host = 'insurance',
}: AskedRequest): CheckInput {
  const single = Object.entries(headers).map(([name, value]) => [name, [value]] as const)
  return {
    sourcePrincipal: '',
    destinationAddress: address,
    method,
    path,
    host,
    headers: new Map(single),
    metadata: new Map(Object.entries(metadata)),
    tlsPeerUris: [],
  }
}

/** The target of the request, after its service is known. */
export function findTarget(input: CheckInput, caller: Caller): Target | Deny {
  const service = findService(input, caller.provenBy, catalog)
  if (isDeny(service)) return service
  return checkWaypoint(caller, service) ?? targetOf(service, toRequest(input))
}

/** Agent D, proven by one source. */
export function by(provenBy: PeerSource): Caller {
  return { ...caller(hospital.agentD), provenBy }
}

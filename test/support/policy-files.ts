import { formatProblem } from '../../src/base/document/problem.ts'
import { isProblems } from '../../src/base/model/problems.ts'
import { loadRevision } from '../../src/policy/revision/load.ts'
import type { Revision } from '../../src/policy/revision/revision.ts'
import { readPolicyDirectory } from '../../src/policy/source/directory-source.ts'
import { type PolicyFiles, toPolicyFiles } from '../../src/policy/source/policy-files.ts'

/** The SPIFFE IDs that small policy repositories in tests speak of. */
export const waypoint = 'spiffe://hospital.example/ns/hospital/sa/waypoint'
export const workload = (name: string): string => `spiffe://hospital.example/ns/test/sa/${name}`

/** A services.yaml with one service, its keys overlaid. */
export function servicesYaml(keys: Readonly<Record<string, unknown>> = {}): string {
  const service = {
    name: 'records',
    addresses: ['10.0.0.1:80'],
    spiffeId: workload('records'),
    waypoint,
    routes: [{ match: 'GET /patients/{patientId}', action: 'read', resource: 'Patient::{patientId}' }],
    ...keys,
  }
  return JSON.stringify({ services: [service] })
}

const schemaText =
  'entity Patient in [Service];\naction "read-it" appliesTo {principal: [Agent, User, Autonomous], resource: [Patient, Service], context: RequestContext};\n'

/** A policy repository that loads, with files overlaid; `undefined` removes one. */
export function policyFiles(files: Readonly<Record<string, string | undefined>> = {}): PolicyFiles {
  const routes = [{ match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' }]
  const whole: Record<string, string | undefined> = {
    'services.yaml': servicesYaml({ routes }),
    'schema.cedarschema': schemaText,
    'team/a.cedar': 'permit (principal, action, resource in Service::"records");\n',
    ...files,
  }
  const present = Object.entries(whole).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, text] as const],
  )
  return toPolicyFiles(new Map(present))
}

/** Loads a repository that must load. */
export function mustLoad(source: PolicyFiles): Revision {
  const revision = loadRevision(source)
  if (!isProblems(revision)) return revision
  throw new TypeError(revision.problems.map(formatProblem).join('\n'))
}

/** The sample policy repository, policies/. */
export async function hospitalRevision(): Promise<Revision> {
  const files = await readPolicyDirectory('policies')
  if (!('files' in files)) throw new TypeError('policies/ cannot be read')
  return mustLoad(files)
}

import { type PolicyFiles, toPolicyFiles } from '../../src/policy/source/policy-files.ts'

const policiesPerService = 4
const teams = 50

/** A policy repository as a large hospital has it: many services, a few policies each, and what is known of its patients. */
export function largeRepository(policies: number, patients: number = 0): PolicyFiles {
  const services = []
  const files = new Map([['schema.cedarschema', schema]])
  for (let index = 0; index * policiesPerService < policies; index++) {
    const owner = `team${index % teams}`
    const count = Math.min(policiesPerService, policies - index * policiesPerService)
    services.push(service(index, owner))
    files.set(
      `${owner}/s${index}.cedar`,
      Array.from({ length: count }, (_, place) => policy(index, place)).join(''),
    )
  }
  files.set('services.yaml', JSON.stringify({ services }))
  if (patients > 0)
    files.set('entities.json', JSON.stringify(Array.from({ length: patients }, (_, index) => patient(index))))
  return toPolicyFiles(files)
}

const schema =
  'entity Ward;\nentity Patient in [Service, Ward];\naction "read-it" appliesTo {principal: [Agent, User, Autonomous], resource: [Patient, Service], context: RequestContext};\n'

function patient(index: number): object {
  return {
    uid: { type: 'Patient', id: `patient-${index}` },
    attrs: {},
    parents: [{ type: 'Ward', id: 'west' }],
  }
}

function service(index: number, owner: string): object {
  return {
    name: `s${index}`,
    owner,
    addresses: [`10.1.${index >> 8}.${index & 255}:80`],
    spiffeId: `spiffe://hospital.example/ns/n${index}/sa/s`,
    waypoint: 'spiffe://hospital.example/ns/hospital/sa/waypoint',
    routes: [{ match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' }],
  }
}

function policy(index: number, place: number): string {
  const agent = `Agent::"spiffe://hospital.example/ns/n${index}/sa/a${place}"`
  return `permit (principal == ${agent}, action, resource in Service::"s${index}")\nwhen { context.role == "caller" && context.chain.depth < ${place + 2} && context.http.method == "GET" };\n`
}

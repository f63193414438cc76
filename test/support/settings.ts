import { uris } from './hospital.ts'

/** waywarden.yaml of a Waywarden under test, for the sample policies. */
export const settings: string = `
version: 1
listeners: [{address: '127.0.0.1:0', peer: xfcc}]
admin: {address: '127.0.0.1:0'}
drain: 0s
deadline: 10s # a busy test machine is no reason to refuse
chain: {issuer: https://waywarden.hospital.example, trustDomain: hospital.example, keys: ./keys, revocations: ./revocations.json}
ingress: {peers: [{id: ${uris.gateway}, issuers: [hospital]}]}
users:
  - {name: hospital, issuer: https://idp.hospital.example/realms/hospital, audience: hospital-agents, jwks: ./idp-jwks.json, groups: groups, groupsAllow: [billing, clinicians], clients: [hospital-ui], userClaim: sid}
policy: {directory: ./policies}
audit: {directory: ./audit}
log: {level: error}
`

import { existsSync, readdirSync } from 'node:fs'
import { expect } from 'chai'

/** Sources without a test file of their own, and where they are tested instead. */
const exceptions: ReadonlyMap<string, string> = new Map([
  ['audit/segment.ts', 'through audit-log, its only user'],
  ['check/line.ts', 'through check, which wraps it'],
  ['cli/chain-text.ts', 'through the chain commands, which print it'],
  ['cli/doctor-setup.ts', 'through doctor'],
  ['cli/doctor-sources.ts', 'through doctor, over a kubectl of our own and real admin ports'],
  ['cli/doctor-text.ts', 'through doctor, which prints it'],
  ['cli/report-text.ts', 'through report, which prints it'],
  ['cli/config-file.ts', 'through config and serve, which read it'],
  ['app/credentials.ts', 'through app and cli/serve'],
  ['config/settings.ts', 'types only'],
  ['ext-authz/health.ts', 'through grpc-js-server'],
  ['ext-authz/reflection.ts', 'through grpc-js-server'],
  ['ext-authz/transport.ts', 'types only'],
  ['ext-authz/wire.ts', 'through decode, respond and property/decode'],
  ['identity/user-issuer.ts', 'types only'],
  ['app/house.ts', 'through app'],
  ['app/listener.ts', 'through app and codes'],
  ['app/readiness.ts', 'through app and app/observe'],
  ['app/opening.ts', 'through followed-files and app'],
  ['model/answer.ts', 'types only'],
  ['model/caller.ts', 'types only'],
  ['model/chain.ts', 'types only'],
  ['model/entity-uid.ts', 'through every record and message that names an entity'],
  ['model/event.ts', 'through observe/metrics and report'],
  ['model/invalid.ts', 'through every parser'],
  ['model/query.ts', 'types only'],
  ['model/target.ts', 'types only'],
  ['review/doctor/access.ts', 'through bypass and port, whose questions it answers'],
  ['review/doctor/allow.ts', 'through bypass and port'],
  ['review/doctor/authorization-policy.ts', 'through policy and bypass'],
  ['review/doctor/cluster.ts', 'through every rule, which sees the cluster by it'],
  ['review/doctor/finding.ts', 'types, and an order that examine shows'],
  ['review/doctor/guarded.ts', 'through every rule about waypoints'],
  ['review/doctor/mesh.ts', 'through provider'],
  ['revision/product-schema.ts', 'through load'],
  ['revision/services-schema.ts', 'through catalog'],
  ['revision/yaml-document.ts', 'through catalog'],
])

describe('mirror', () => {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )

  it('finds a test for every source, or says where it is tested instead', () => {
    const alone = sources.filter((file) => !existsSync(testOf(file)) && !exceptions.has(file))
    expect(alone.sort()).to.deep.equal([])
  })

  it('has no exception for a source that is gone or has a test of its own', () => {
    const stale = [...exceptions.keys()].filter((file) => !sources.includes(file) || existsSync(testOf(file)))
    expect(stale).to.deep.equal([])
  })
})

function testOf(source: string): string {
  return `test/${source.replace(/\.ts$/, '.test.ts')}`
}

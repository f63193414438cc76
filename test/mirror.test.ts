import { existsSync, readdirSync } from 'node:fs'
import { expect } from 'chai'

/** Sources without a test file of their own, and where they are tested instead. */
const exceptions: ReadonlyMap<string, string> = new Map([
  ['audit/segment.ts', 'through sealed-log, its only user'],
  ['audit/audit-log-options.ts', 'through audit-log'],
  ['audit/framed.ts', 'through sealed-log'],
  ['audit/shadow-mark.ts', 'through mark and query'],
  ['audit/lines.ts', 'through query'],
  ['audit/outage.ts', 'through audit-log, when the disk fails'],
  ['audit/record-parts.ts', 'through record'],
  ['audit/referable.ts', 'through entry'],
  ['audit/untold-marks.ts', 'through audit-log, when the disk fails'],
  ['audit/verify-log.ts', 'through verify, which reads it beside other logs'],
  ['audit/verify-progress.ts', 'through verify'],
  ['audit/whole-line.ts', 'through record-reader'],
  ['audit/whole-lines.ts', 'through record-reader and lost-repeats'],
  ['audit/write-buffer.ts', 'through audit-log, in mode `buffered`'],
  ['cli/audit.ts', 'through its commands'],
  ['cli/moment.ts', 'through report and audit-find'],
  ['cli/transaction-text.ts', 'through audit-show, which prints it'],
  ['cli/transaction-mermaid.ts', 'through audit-show, which prints it'],
  ['cli/transaction-svg.ts', 'through audit-show, which prints it'],
  ['review/lint-finding.ts', 'through lint and lint-chainless, which find'],
  ['check/decide.ts', 'through check/places and check'],
  ['check/facts.ts', 'types only'],
  ['check/observing.ts', 'through app/check-facts'],
  ['check/stopwatch.ts', 'types only'],
  ['cli/chain-text.ts', 'through the chain commands, which print it'],
  ['cli/doctor-setup.ts', 'through doctor'],
  ['cli/doctor-sources.ts', 'through doctor, over a kubectl of our own and real admin ports'],
  ['cli/doctor-text.ts', 'through doctor, which prints it'],
  ['cli/report-text.ts', 'through report, which prints it'],
  ['cli/outcome-text.ts', 'through policy-diff and report, which print it'],
  ['cli/shadow-text.ts', 'through report, which prints it'],
  ['cli/collect.ts', 'through the policy commands, whose options may come several times'],
  ['cli/kept-revision.ts', 'through why, policy-explain and policy-diff, which load it'],
  ['cli/policy-directory.ts', 'through the policy commands, which load it'],
  ['cli/policy-explain-text.ts', 'through policy-explain, which prints it'],
  ['cli/directory-pin.ts', 'through policy-rollback'],
  ['cli/config-file.ts', 'through config and serve, which read it'],
  ['config/conflict.ts', 'through config/rules and config/user-issuer-rules'],
  ['config/issue.ts', 'through config, which tells them'],
  ['config/policy-schema.ts', 'through config/policy'],
  ['config/settings.ts', 'types only'],
  ['config/user-issuer-schema.ts', 'through config and config/schema'],
  ['ext-authz/grpc-js-credentials.ts', 'through tls, over a connection of grpc-js'],
  ['ext-authz/health.ts', 'through grpc-js-server'],
  ['ext-authz/reflection.ts', 'through grpc-js-server'],
  ['ext-authz/lean/connection.ts', 'through lean/lean-server'],
  ['ext-authz/lean/flushing.ts', 'through lean/draining and lean/fuzz'],
  ['ext-authz/lean/frames.ts', 'through lean/frame-reader'],
  ['ext-authz/lean/hpack-encoder.ts', 'through lean/hpack-decoder, which reads back what it writes'],
  ['ext-authz/lean/hpack-huffman.ts', 'through lean/hpack-decoder'],
  ['ext-authz/lean/hpack-static.ts', 'through lean/hpack-decoder'],
  ['ext-authz/lean/limits.ts', 'through lean/floods and lean/timing'],
  ['ext-authz/lean/method.ts', 'types only'],
  ['ext-authz/lean/padding.ts', 'through lean/data-frames and lean/header-frames'],
  ['ext-authz/lean/session.ts', 'through every test of a session in lean'],
  ['ext-authz/lean/settings-frame.ts', 'through lean/control-frames and lean/sending'],
  ['ext-authz/lean/stream.ts', 'types alone, and the record that they describe'],
  ['ext-authz/lean/unsent.ts', 'through lean/timing and lean/floods'],
  ['ext-authz/transport.ts', 'types, and through both servers'],
  ['ext-authz/message-writer.ts', 'through respond, byte for byte against a plain encoder'],
  ['ext-authz/wire.ts', 'through decode, respond and property/decode'],
  ['identity/user-issuer.ts', 'types only'],
  ['app/house.ts', 'through app'],
  ['app/policy-source.ts', 'through app and app/git-policies'],
  ['app/shadow-revision.ts', 'through app/shadow'],
  ['app/opening.ts', 'through followed-files and app'],
  ['app/workers.ts', 'through e2e/workers'],
  ['cli/serving.ts', 'through serve and e2e/workers, which begin with it'],
  ['observe/check-spans.ts', 'through app/traced, where a chain is played'],
  ['observe/export-attempt.ts', 'through exporter'],
  ['observe/otlp.ts', 'through app/traced and exporter, whose receiver decodes it'],
  ['observe/span.ts', 'types only'],
  ['observe/issuer-metrics.ts', 'through observe/report'],
  ['observe/shadow-metrics.ts', 'through observe/report and app/shadow'],
  ['model/answer.ts', 'types only'],
  ['model/caller.ts', 'types only'],
  ['model/chain.ts', 'types only'],
  ['model/entity-uid.ts', 'through every record and message that names an entity'],
  ['model/event.ts', 'through observe/metrics and report'],
  ['model/invalid.ts', 'through every parser'],
  ['model/query.ts', 'types only'],
  ['model/target.ts', 'types only'],
  ['review/candidate-entry.ts', 'through candidate and revision-source, which begin a thread there'],
  ['review/candidate-worker.ts', 'through candidate, which starts it'],
  ['review/doctor/access.ts', 'through bypass and port, whose questions it answers'],
  ['review/doctor/allow.ts', 'through bypass and port'],
  ['review/doctor/authorization-policy.ts', 'through policy and bypass'],
  ['review/doctor/cluster.ts', 'through every rule, which sees the cluster by it'],
  ['review/doctor/finding.ts', 'types, and an order that examine shows'],
  ['review/doctor/guarded.ts', 'through every rule about waypoints'],
  ['review/doctor/mesh.ts', 'through provider'],
  ['revision/attribute-forms.ts', 'through literal-forms, over all of entities.json'],
  ['revision/policy-likeness.ts', 'through policy-names, name by name'],
  ['revision/policy-source.ts', 'through revision-source'],
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

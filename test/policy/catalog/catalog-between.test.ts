import { expect } from 'chai'
import { formatProblem } from '../../../src/base/document/problem.ts'
import { parseCatalog } from '../../../src/policy/catalog/catalog.ts'
import { waypoint, workload } from '../../support/policy-files.ts'
import { itRefuses, type RefusedRepository } from '../../support/refused-repository.ts'

/** Two services, the second with these keys, and more behind them. */
const beside = (keys: object, first: object = {}, ...others: readonly object[]) => ({
  'services.yaml': JSON.stringify({
    services: [first, keys, ...others].map((own, index) => ({
      name: `service-${index}`,
      addresses: [`10.0.0.${index}:80`],
      spiffeId: workload(`service-${index}`),
      waypoint,
      ...own,
    })),
  }),
})

const alike: readonly RefusedRepository[] = [
  ['[::1]:80', '[0:0:0:0:0:0:0:1]:080'],
  ['10.0.0.9:80', '[::ffff:10.0.0.9]:80'],
  ['10.0.0.9:80', '[::FFFF:a00:9]:80'],
  ['a.svc.cluster.local:80', 'A.svc.cluster.local.:80'],
].map(([one, other]) => ({
  name: `two services at \`${one}\` and \`${other}\``,
  files: beside({ addresses: [other] }, { addresses: [one] }),
  at: 'services.yaml:1',
  mentions: new RegExp(`\`${escaped(other)}\` belongs to \`service-0\` already, spelled \`${escaped(one)}\``),
}))

const account = { spiffeId: workload('both') }
const shared = { ...account, shared: 'one process' }
const elsewhere = workload('waypoint')

const between: readonly RefusedRepository[] = [
  ...[beside({ name: 'service-0' }), beside({}, {}, { name: 'service-0' })].map((files, index) => ({
    name: `two services of one name, ${index} between them`,
    files,
    at: 'services.yaml:1',
    mentions: /service `service-0`: another service has this name/,
  })),
  ...[
    { name: 'neither', files: beside(account, account) },
    { name: 'the first alone', files: beside(account, shared) },
    { name: 'the second alone', files: beside(shared, account) },
    { name: 'all but the last', files: beside(shared, shared, account) },
  ].map(({ name, files }) => ({
    name: `two services that are one identity, if ${name} says why`,
    files,
    at: 'services.yaml:1',
    mentions: /shares its SPIFFE ID with `service-\d`/,
  })),
  ...[
    { name: 'before', files: beside({ waypoint: elsewhere }, { spiffeId: elsewhere }) },
    { name: 'behind', files: beside({ spiffeId: elsewhere }, { waypoint: elsewhere }) },
  ].map(({ name, files }) => ({
    name: `a service that is the waypoint of another, ${name} it`,
    files,
    at: 'services.yaml:1',
    mentions: /its SPIFFE ID is a waypoint/,
  })),
]

describe('policy/catalog/catalog, of one service beside another', () => {
  for (const row of [...alike, ...between]) itRefuses(row)

  it('takes services that are one identity if all of them say why', () => {
    const catalog = parseCatalog(beside(shared, shared, shared)['services.yaml'])
    if (!('services' in catalog)) throw new TypeError(catalog.problems.map(formatProblem).join('\n'))
    expect(catalog.services.map((service) => service.spiffeId.uri)).to.deep.equal(
      Array.from({ length: 3 }, () => workload('both')),
    )
  })
})

function escaped(text = ''): string {
  return text.replace(/[[\].]/g, '\\$&')
}

import { expect } from 'chai'
import { playDoctorTable } from '../support/doctor-table.ts'
import { examine } from '../support/examined.ts'
import { add, all, change, deployment, object, policy, remove } from '../support/healthy-cluster.ts'

const port = (number: number, fields: object = {}) => ({ port: number, targetPort: number, ...fields })

/** A Service and its workload that the catalog does not have. */
const unlisted = (
  name: string,
  ports: readonly object[],
  labels: Readonly<Record<string, string>> = {},
  spec: object = {},
  namespace = 'billing',
) =>
  add(
    object(
      'Service',
      namespace,
      name,
      { spec: { clusterIP: '10.96.7.7', selector: { app: name }, ports, ...spec } },
      labels,
    ),
    deployment(namespace, name, { app: name }, name, { image: `${name}:1`, ports: [] }),
  )
const noWaypoint = { 'istio.io/use-waypoint': 'none' }
const headless = { clusterIP: 'None' }

describe('doctor/unlisted', () => {
  playDoctorTable([
    {
      name: 'a web page that the catalog lacks',
      mutate: unlisted('ui', [port(8080)]),
      want: ['service_missing'],
    },
    {
      name: 'two of one namespace, as one finding',
      mutate: all(unlisted('ui', [port(8080)]), unlisted('api', [port(80, { appProtocol: 'http' })])),
      want: ['service_missing'],
    },
    {
      name: 'one of a namespace that is not enrolled',
      mutate: all(
        add(object('Namespace', '', 'shop', {}, { 'istio.io/dataplane-mode': 'ambient' })),
        unlisted('ui', [port(8080)], {}, {}, 'shop'),
      ),
      want: [],
    },
    {
      name: 'one behind a waypoint that does not ask',
      mutate: unlisted('ui', [port(8080)], { 'istio.io/use-waypoint': 'other' }),
      want: [],
    },
    {
      name: 'a Service of a waypoint',
      mutate: unlisted('waypoint', [port(15008)], { 'gateway.networking.k8s.io/gateway-name': 'waypoint' }),
      want: [],
    },
    {
      name: 'a Service without pods of its own',
      mutate: unlisted('ui', [port(80)], {}, { selector: {} }),
      want: [],
    },
    {
      name: 'a database without a waypoint',
      mutate: unlisted('postgres', [port(5432)], noWaypoint),
      want: ['guard_cuts_off'],
    },
    {
      name: 'a headless database, to whose pods calls go directly',
      mutate: unlisted('postgres', [port(5432)], {}, headless),
      want: ['guard_cuts_off'],
    },
    {
      name: 'a database whose callers are named',
      mutate: all(
        unlisted('postgres', [port(5432)], noWaypoint),
        add(
          policy('billing', 'callers', {
            selector: { matchLabels: { app: 'postgres' } },
            action: 'ALLOW',
            rules: [{ from: [{ source: { principals: ['hospital.example/ns/billing/sa/agent-a'] } }] }],
          }),
        ),
      ),
      want: [],
    },
    {
      name: 'a database in a namespace that no ALLOW policy guards',
      mutate: all(
        unlisted('postgres', [port(5432)], noWaypoint),
        remove('AuthorizationPolicy/billing/only-waypoint'),
      ),
      want: ['bypass_open'],
    },
    {
      name: 'a database behind the waypoint',
      mutate: unlisted('postgres', [port(5432)]),
      want: ['tcp_denied'],
    },
    {
      name: 'a port that says that it is no HTTP, behind the waypoint',
      mutate: unlisted('queue', [port(9999, { name: 'tcp-amqp' })]),
      want: ['tcp_denied'],
    },
    {
      name: 'a Service with both',
      mutate: unlisted('mixed', [port(8080), port(6379)]),
      want: ['service_missing', 'tcp_denied'],
    },
  ])

  it('names the Services and the waypoint, and prints a policy that would let callers in', () => {
    const [missing] = examine({ mutate: all(unlisted('ui', [port(8080)]), unlisted('api', [port(8080)])) })
    expect(missing?.what).to.match(/^ui, api go through the waypoint hospital\/waypoint/)
    const [cut] = examine({ mutate: unlisted('postgres', [port(5432)], noWaypoint) })
    expect(cut?.fix).to.include('principals: [hospital.example/ns/billing/sa/CALLER]')
    expect(cut?.fix).to.include('matchLabels: {app: postgres}').and.include('ports: ["5432"]')
  })

  it('only warns of what is denied while Waywarden observes', () => {
    const observed = { observe: { services: undefined } }
    const severities = (mutate: ReturnType<typeof unlisted>) =>
      examine({ mutate, config: observed }).map(({ severity }) => severity)
    expect(severities(unlisted('ui', [port(8080), port(6379)]))).to.deep.equal(['warning', 'warning'])
    // The guard is enforced whatever Waywarden does.
    expect(severities(unlisted('postgres', [port(5432)], noWaypoint))).to.deep.equal(['error'])
  })

  it('says nothing about a Service that the catalog has', () => {
    const labels = { metadata: { labels: noWaypoint } }
    const found = examine({ mutate: change('Service/billing/billing-agent', labels) })
    expect(found.map(({ id }) => id)).to.deep.equal(['not_enrolled'])
  })
})

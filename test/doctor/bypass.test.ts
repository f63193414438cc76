import { expect } from 'chai'
import { playDoctorTable } from '../support/doctor-table.ts'
import { examine } from '../support/examined.ts'
import { add, all, change, fromWaypoint, object, policy, remove } from '../support/healthy-cluster.ts'

const guard = 'AuthorizationPolicy/billing/only-waypoint'
const rules = (...list: readonly object[]) => change(guard, { spec: { rules: list } })
const podOf = (app: string) => ({
  spec: { serviceAccountName: app === 'billing-agent' ? 'agent-a' : 'agent-d', containers: [{ image: app }] },
})
const from = (source: object) => ({ from: [{ source }] })

describe('doctor/bypass', () => {
  it('only warns while all that stands open is observed', () => {
    const severities = (services: readonly string[] | undefined) =>
      examine({ mutate: remove(guard), config: { observe: { services } } }).map(({ severity }) => severity)
    expect(severities(undefined)).to.deep.equal(['warning'])
    expect(severities(['billing-agent', 'insurance-agent'])).to.deep.equal(['warning'])
    expect(severities(['billing-agent'])).to.deep.equal(['error'])
  })

  playDoctorTable([
    { name: 'a namespace without an ALLOW policy', mutate: remove(guard), want: ['bypass_open'] },
    {
      name: 'one while observing',
      mutate: remove(guard),
      config: { observe: { services: undefined } },
      want: ['bypass_open'],
    },
    {
      name: 'an ALLOW policy for one of two services',
      mutate: change(guard, { spec: { selector: { matchLabels: { app: 'billing-agent' } } } }),
      want: ['bypass_open'],
    },
    { name: 'a rule for everybody', mutate: rules(fromWaypoint(), {}), want: ['bypass_open'] },
    {
      name: 'a rule for a namespace',
      mutate: rules(from({ namespaces: ['clinic'] })),
      want: ['bypass_open'],
    },
    {
      name: 'a rule for an agent beside the waypoint',
      mutate: rules(
        from({
          principals: ['hospital.example/ns/hospital/sa/waypoint', 'hospital.example/ns/clinic/sa/agent-r'],
        }),
      ),
      want: ['bypass_open'],
    },
    {
      name: 'a rule for a pattern',
      mutate: rules(from({ principals: ['*/sa/waypoint'] })),
      want: ['bypass_open'],
    },
    {
      name: 'a waypoint of a foreign trust domain',
      mutate: rules(from({ principals: ['evil.example/ns/hospital/sa/waypoint'] })),
      want: ['bypass_open'],
    },
    {
      name: "Istio's word for the own trust domain",
      mutate: rules(from({ principals: ['cluster.local/ns/hospital/sa/waypoint'] })),
      want: [],
    },
    { name: 'a service account', mutate: rules(from({ serviceAccounts: ['hospital/waypoint'] })), want: [] },
    {
      name: 'a service account of the own namespace',
      mutate: rules(from({ serviceAccounts: ['waypoint'] })),
      want: ['bypass_open'],
    },
    {
      name: 'a rule for everybody on a port of no service',
      mutate: rules(fromWaypoint(), { to: [{ operation: { ports: ['9090'] } }] }),
      want: [],
    },
    {
      name: 'a rule for everybody on the port of the service',
      mutate: rules(fromWaypoint(), { to: [{ operation: { ports: ['8080'] } }] }),
      want: ['bypass_open'],
    },
    {
      name: 'a second policy that opens',
      mutate: add(policy('billing', 'open', { rules: [{}] })),
      want: ['bypass_open'],
    },
    {
      name: 'a policy of the mesh that opens',
      mutate: add(policy('istio-system', 'open', { rules: [{}] })),
      want: ['bypass_open', 'bypass_open', 'bypass_open', 'port_open'],
    },
    {
      name: 'a DENY policy for all but the waypoint',
      mutate: change(guard, {
        spec: {
          action: 'DENY',
          rules: [from({ notPrincipals: ['hospital.example/ns/hospital/sa/waypoint'] })],
        },
      }),
      want: [],
    },
    {
      name: 'one with a condition',
      mutate: change(guard, {
        spec: {
          action: 'DENY',
          rules: [
            from({ notPrincipals: ['hospital.example/ns/hospital/sa/waypoint'], namespaces: ['clinic'] }),
          ],
        },
      }),
      want: ['bypass_open'],
    },
    {
      name: 'no PeerAuthentication',
      mutate: remove('PeerAuthentication/billing/strict'),
      want: ['mtls_not_strict'],
    },
    {
      name: 'one for the whole mesh',
      mutate: all(
        remove('PeerAuthentication/billing/strict'),
        add(object('PeerAuthentication', 'istio-system', 'default', { spec: { mtls: { mode: 'STRICT' } } })),
      ),
      want: [],
    },
    {
      name: 'PERMISSIVE on the port of a service',
      mutate: add(
        object('PeerAuthentication', 'billing', 'lax', {
          spec: {
            selector: { matchLabels: { app: 'billing-agent' } },
            portLevelMtls: { '8080': { mode: 'PERMISSIVE' } },
          },
        }),
      ),
      want: ['mtls_not_strict'],
    },
    {
      name: 'a namespace outside ambient',
      mutate: change('Namespace//billing', {
        metadata: { labels: { 'istio.io/dataplane-mode': undefined } },
      }),
      want: ['not_ambient'],
    },
    {
      name: 'a pod that stays outside',
      mutate: change('Deployment/billing/billing-agent', {
        spec: { template: { metadata: { labels: { 'istio.io/dataplane-mode': 'none' } } } },
      }),
      want: ['not_ambient'],
    },
    {
      name: 'an ALLOW policy that chooses pods, which are given without their Deployments',
      mutate: all(
        remove(guard),
        ...['billing-agent', 'insurance-agent'].flatMap((app) => [
          remove(`Deployment/billing/${app}`),
          add(
            object('Pod', 'billing', `${app}-1`, podOf(app), { app }),
            policy('billing', app, { selector: { matchLabels: { app } }, rules: [fromWaypoint()] }),
          ),
        ]),
      ),
      want: [],
    },
    { name: 'a namespace that lets nobody in', mutate: rules(), want: ['waypoint_shut_out'] },
    {
      name: 'a namespace that lets the waypoint in on another port',
      mutate: rules({ ...fromWaypoint(), to: [{ operation: { ports: ['9090'] } }] }),
      want: ['waypoint_shut_out'],
    },
  ])
})

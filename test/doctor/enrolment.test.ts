import { playDoctorTable } from '../support/doctor-table.ts'
import { all, change, type Overlay, remove } from '../support/healthy-cluster.ts'

const gateway = (overlay: Overlay) => change('Gateway/hospital/waypoint', overlay)
const allowed = (namespaces: object) => gateway({ spec: { listeners: [{ allowedRoutes: { namespaces } }] } })
const labelled = (id: string, labels: object) => change(id, { metadata: { labels } })
const billing = 'Namespace//billing'
const insuranceAgent = 'Service/billing/insurance-agent'
const billingAgent = 'Service/billing/billing-agent'

describe('doctor/enrolment', () => {
  playDoctorTable([
    {
      name: 'no waypoint, and nothing attached to it',
      mutate: all(remove('Gateway/hospital/waypoint'), remove('AuthorizationPolicy/hospital/ask-waywarden')),
      want: ['waypoint_absent'],
    },
    {
      name: 'a waypoint of another data plane',
      mutate: gateway({ spec: { gatewayClassName: 'istio-agentgateway-waypoint' } }),
      want: ['waypoint_class'],
    },
    {
      name: 'a waypoint for workloads',
      mutate: labelled('Gateway/hospital/waypoint', { 'istio.io/waypoint-for': 'workload' }),
      want: ['waypoint_for'],
    },
    {
      name: 'a waypoint for its own namespace',
      mutate: allowed({ from: 'Same' }),
      want: ['waypoint_not_shared', 'waypoint_not_shared'],
    },
    {
      name: 'a waypoint for chosen namespaces',
      mutate: allowed({
        from: 'Selector',
        selector: { matchLabels: { 'istio.io/dataplane-mode': 'ambient' } },
      }),
      want: [],
    },
    {
      name: 'a waypoint for one other namespace',
      mutate: allowed({
        from: 'Selector',
        selector: { matchLabels: { 'kubernetes.io/metadata.name': 'billing' } },
      }),
      want: ['waypoint_not_shared'],
    },
    {
      name: 'a namespace without use-waypoint',
      mutate: labelled(billing, { 'istio.io/use-waypoint': undefined }),
      want: ['not_enrolled'],
    },
    {
      name: 'a namespace that looks for the waypoint in itself',
      mutate: labelled(billing, { 'istio.io/use-waypoint-namespace': undefined }),
      want: ['not_enrolled'],
    },
    {
      name: 'a Service that opts out',
      mutate: labelled(insuranceAgent, { 'istio.io/use-waypoint': 'none' }),
      want: ['not_enrolled'],
    },
    {
      name: 'Services that are labelled one by one',
      mutate: all(
        labelled(billing, {
          'istio.io/use-waypoint': undefined,
          'istio.io/use-waypoint-namespace': undefined,
        }),
        ...[insuranceAgent, billingAgent].map((id) =>
          labelled(id, {
            'istio.io/use-waypoint': 'waypoint',
            'istio.io/use-waypoint-namespace': 'hospital',
          }),
        ),
      ),
      want: [],
    },
    {
      name: 'an entry that the ingress gateway calls directly',
      mutate: labelled(billing, { 'istio.io/ingress-use-waypoint': undefined }),
      want: ['ingress_bypasses'],
    },
    {
      name: 'an entry that is labelled by itself',
      mutate: all(
        labelled(billing, { 'istio.io/ingress-use-waypoint': undefined }),
        labelled(billingAgent, { 'istio.io/ingress-use-waypoint': 'true' }),
      ),
      want: [],
    },
    {
      name: 'no ingress at all',
      mutate: labelled(billing, { 'istio.io/ingress-use-waypoint': undefined }),
      config: { ingress: { peers: [] } },
      want: [],
    },
  ])
})

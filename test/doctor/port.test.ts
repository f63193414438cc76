import { playDoctorTable } from '../support/doctor-table.ts'
import { add, all, change, object, remove } from '../support/healthy-cluster.ts'

const from = (source: object) => ({ from: [{ source }] })
const own = 'AuthorizationPolicy/waywarden/waywarden'
const networkPolicy = (ingress: readonly object[]) =>
  add(
    object('NetworkPolicy', 'waywarden', 'waywarden', {
      spec: { podSelector: {}, policyTypes: ['Ingress'], ingress },
    }),
  )
const waypointPods = (namespaceSelector: object) => ({
  namespaceSelector,
  podSelector: { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'waypoint' } },
})
const clientCa = { listeners: [{ port: 9191, peer: 'xfcc' as const, tls: { clientCa: 'ca.pem' } }] }
const socketOnly = { listeners: [{ peer: 'xfcc' as const, tls: undefined }] }

describe('doctor/port', () => {
  playDoctorTable([
    { name: 'our port without an L4 policy', mutate: remove(own), want: ['port_open'] },
    {
      name: 'our port open to agents',
      mutate: change(own, { spec: { rules: [from({ namespaces: ['billing'] })] } }),
      want: ['port_open'],
    },
    {
      name: 'our namespace outside ambient',
      mutate: change('Namespace//waywarden', {
        metadata: { labels: { 'istio.io/dataplane-mode': undefined } },
      }),
      want: ['port_open'],
    },
    {
      name: 'client certificates instead of an L4 policy',
      mutate: remove(own),
      config: clientCa,
      want: [],
    },
    { name: 'a Unix socket, and no port', mutate: remove(own), config: socketOnly, want: [] },
    {
      name: "a NetworkPolicy for the waypoints' pods instead",
      mutate: all(
        remove(own),
        networkPolicy([
          {
            from: [waypointPods({ matchLabels: { 'kubernetes.io/metadata.name': 'hospital' } })],
            ports: [{ port: 9191 }],
          },
          { ports: [{ port: 9192 }] },
        ]),
      ),
      want: [],
    },
    {
      name: 'a NetworkPolicy for pods that only call themselves waypoints',
      mutate: all(remove(own), networkPolicy([{ from: [waypointPods({})], ports: [{ port: 9191 }] }])),
      want: ['port_open'],
    },
    {
      name: 'a NetworkPolicy that leaves HBONE open',
      mutate: all(
        remove(own),
        networkPolicy([{ from: [{ namespaceSelector: {} }], ports: [{ port: 15008 }] }]),
      ),
      want: ['port_open'],
    },
    {
      name: 'our pods on the network of the host',
      mutate: change('Deployment/waywarden/waywarden', {
        spec: { template: { spec: { hostNetwork: true } } },
      }),
      want: ['host_network'],
    },
    {
      name: 'our port closed to the waypoint',
      mutate: change(own, {
        spec: { rules: [from({ principals: ['hospital.example/ns/hospital/sa/wp'] })] },
      }),
      want: ['waypoint_shut_out'],
    },
  ])
})

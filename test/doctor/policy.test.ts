import { playDoctorTable } from '../support/doctor-table.ts'
import { add, all, change, changeProvider, object, policy, remove } from '../support/healthy-cluster.ts'

const asking = 'AuthorizationPolicy/hospital/ask-waywarden'
const spec = (overlay: object) => change(asking, { spec: overlay })
const custom = { action: 'CUSTOM', provider: { name: 'waywarden' }, rules: [{}] }
const xfcc = { 'ambient.istio.io/xfcc-include-client-identity': 'true' }
const gatewayName = { 'gateway.networking.k8s.io/gateway-name': 'waypoint' }
const waypointPod = {
  spec: { serviceAccountName: 'waypoint', containers: [{ image: 'istio/proxyv2:1.30.4' }] },
}
const otherProvider = change('ConfigMap/istio-system/istio', {
  data: {
    mesh: `extensionProviders:
- name: waywarden
  envoyExtAuthzGrpc: {service: waywarden.waywarden.svc.cluster.local, port: 9191, timeout: 250ms}
- name: opa
  envoyExtAuthzGrpc: {service: opa.opa.svc.cluster.local, port: 9191}
`,
  },
})
const askOpa = add(
  policy('hospital', 'ask-opa', {
    ...custom,
    provider: { name: 'opa' },
    targetRefs: [{ kind: 'Gateway', name: 'waypoint' }],
  }),
)

describe('doctor/policy', () => {
  playDoctorTable([
    { name: 'no policy', mutate: remove(asking), want: ['policy_missing'] },
    {
      name: 'a selector instead of targetRefs',
      mutate: spec({ targetRefs: undefined, selector: { matchLabels: { app: 'insurance' } } }),
      want: ['policy_selector'],
    },
    {
      name: 'a second waypoint that nobody asks for, beside rules for some paths',
      mutate: all(
        spec({ rules: [{ to: [{ operation: { methods: ['GET'] } }] }] }),
        add(
          object('Gateway', 'clinic', 'waypoint', { spec: { gatewayClassName: 'istio-waypoint' } }, {}, xfcc),
          object('Pod', 'clinic', 'waypoint-1', waypointPod, gatewayName, xfcc),
        ),
        change('Namespace//clinic', {
          metadata: { labels: { 'istio.io/use-waypoint-namespace': 'clinic' } },
        }),
        change('AuthorizationPolicy/clinic/only-waypoint', {
          spec: {
            rules: [{ from: [{ source: { principals: ['hospital.example/ns/clinic/sa/waypoint'] } }] }],
          },
        }),
      ),
      catalog: [
        'clinic/sa/agent-r\n    waypoint: spiffe://hospital.example/ns/hospital',
        'clinic/sa/agent-r\n    waypoint: spiffe://hospital.example/ns/clinic',
      ],
      want: ['policy_partial', 'policy_missing', 'waypoint_shut_out'],
    },
    { name: 'neither', mutate: spec({ targetRefs: undefined }), want: ['policy_selector'] },
    { name: 'no rules', mutate: spec({ rules: undefined }), want: ['policy_rules_missing'] },
    { name: 'an empty list of rules', mutate: spec({ rules: [] }), want: ['policy_rules_missing'] },
    {
      name: 'rules for some paths',
      mutate: spec({ rules: [{ to: [{ operation: { paths: ['/patients/*'] } }] }] }),
      want: ['policy_partial'],
    },
    {
      name: 'a Gateway that is not there',
      mutate: spec({ targetRefs: [{ kind: 'Gateway', name: 'waypont' }] }),
      want: ['policy_not_attached'],
    },
    {
      name: 'a policy in another namespace',
      mutate: all(
        remove(asking),
        add(
          policy('billing', 'ask-waywarden', {
            ...custom,
            targetRefs: [{ kind: 'Gateway', name: 'waypoint' }],
          }),
        ),
      ),
      want: ['policy_not_attached'],
    },
    {
      name: 'a policy on a Service alone',
      mutate: spec({ targetRefs: [{ kind: 'Service', name: 'insurance' }] }),
      want: ['policy_service_only'],
    },
    {
      name: 'a single targetRef',
      mutate: spec({ targetRefs: undefined, targetRef: { kind: 'Gateway', name: 'waypoint' } }),
      want: [],
    },
    {
      name: 'the GatewayClass, from the root namespace',
      mutate: all(
        remove(asking),
        add(
          policy('istio-system', 'ask', {
            ...custom,
            targetRefs: [{ kind: 'GatewayClass', name: 'istio-waypoint' }],
          }),
        ),
      ),
      want: [],
    },
    {
      name: 'the GatewayClass, from another namespace',
      mutate: spec({ targetRefs: [{ kind: 'GatewayClass', name: 'istio-waypoint' }] }),
      want: ['policy_not_attached'],
    },
    { name: 'several providers', mutate: all(otherProvider, askOpa), want: ['several_providers'] },
    {
      name: 'several providers where istiod allows them',
      mutate: all(
        otherProvider,
        askOpa,
        change('Deployment/istio-system/istiod', {
          spec: {
            template: {
              spec: {
                containers: [
                  {
                    image: 'istio/pilot:1.30.4',
                    env: [{ name: 'PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS', value: 'true' }],
                  },
                ],
              },
            },
          },
        }),
      ),
      want: [],
    },
    { name: 'another provider that no waypoint asks', mutate: otherProvider, want: [] },
    {
      name: 'a policy for a provider that was renamed',
      mutate: changeProvider({ name: 'authz' }),
      want: ['provider_unknown'],
    },
  ])
})

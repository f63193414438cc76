import { expect } from 'chai'
import { playDoctorTable } from '../support/doctor-table.ts'
import { examine } from '../support/examined.ts'
import {
  add,
  all,
  change,
  type Mutation,
  type Overlay,
  object,
  type TestObject,
} from '../support/healthy-cluster.ts'

const labels = { 'app.kubernetes.io/name': 'waywarden' }
const gateway = { 'gateway.networking.k8s.io/gateway-name': 'waypoint' }
const account = { serviceAccountName: 'waywarden' }

/** A pod as a cluster shows it. */
function pod(name: string, status: 'True' | 'False', deletionTimestamp?: string): TestObject {
  const made = object('Pod', 'waywarden', name, { spec: account, status: ready(status) }, labels)
  return { ...made, metadata: { ...made.metadata, ...(deletionTimestamp && { deletionTimestamp }) } }
}

function ready(status: string): object {
  return { conditions: [{ type: 'Ready', status }] }
}

function replicas(wanted: number, status: object): Mutation {
  return change('Deployment/waywarden/waywarden', { spec: { replicas: wanted }, status })
}

function condition(type: string, status: string): Overlay {
  return { status: { conditions: [{ type, status, reason: 'Because', message: 'it says why' }] } }
}

describe('doctor/serving', () => {
  playDoctorTable([
    {
      name: 'three replicas that are ready',
      mutate: all(
        replicas(3, { readyReplicas: 3 }),
        add(...['a', 'b', 'c'].map((name) => pod(name, 'True'))),
      ),
      want: [],
    },
    { name: 'a Deployment that is scaled to zero', mutate: replicas(0, {}), want: ['no_replicas'] },
    {
      name: 'pods of which none is ready',
      mutate: all(replicas(2, {}), add(pod('a', 'False'), pod('b', 'False'))),
      want: ['no_replica_ready'],
    },
    {
      name: 'a ready pod that is being deleted',
      mutate: all(replicas(1, { readyReplicas: 1 }), add(pod('a', 'True', '2026-12-01T00:00:00Z'))),
      want: ['no_replica_ready'],
    },
    {
      name: 'a replica too few',
      mutate: all(replicas(2, { readyReplicas: 1 }), add(pod('a', 'True'), pod('b', 'False'))),
      want: ['replicas_missing'],
    },
    {
      name: 'a Service that selects no pod of a live cluster',
      mutate: all(
        replicas(1, { readyReplicas: 1 }),
        change('Service/waywarden/waywarden', { spec: { selector: { 'app.kubernetes.io/name': 'other' } } }),
      ),
      want: ['port_open', 'no_replica_ready'],
    },
    {
      name: 'pods without a Deployment, as a StatefulSet has them',
      mutate: add(pod('waywarden-0', 'True')),
      want: [],
    },
    {
      name: 'a Gateway that no controller has programmed',
      mutate: change('Gateway/hospital/waypoint', condition('Programmed', 'False')),
      want: ['waypoint_not_programmed'],
    },
    {
      name: 'a Gateway that nobody has looked at yet',
      mutate: change('Gateway/hospital/waypoint', condition('Accepted', 'Unknown')),
      want: ['waypoint_not_programmed'],
    },
    {
      name: 'a waypoint of which no pod is ready',
      mutate: change('Pod/hospital/waypoint-5d8f', { status: ready('False'), metadata: { labels: gateway } }),
      want: ['waypoint_not_ready'],
    },
    {
      name: 'a waypoint that is ready',
      mutate: change('Pod/hospital/waypoint-5d8f', { status: ready('True') }),
      want: [],
    },
    {
      name: 'a policy that istiod has refused',
      mutate: change('AuthorizationPolicy/hospital/ask-waywarden', condition('WaypointAccepted', 'False')),
      want: ['object_refused'],
    },
    {
      name: 'an L4 policy of ours that ztunnel takes only in part',
      mutate: change('AuthorizationPolicy/waywarden/waywarden', condition('ZtunnelAccepted', 'False')),
      want: ['object_refused'],
    },
    {
      name: 'an EnvoyFilter that istiod has refused',
      mutate: add(object('EnvoyFilter', 'hospital', 'metadata', condition('Accepted', 'False'))),
      want: ['object_refused'],
    },
    {
      name: "a refused policy that is not Waywarden's business",
      mutate: add(
        object('AuthorizationPolicy', 'istio-ingress', 'theirs', condition('ZtunnelAccepted', 'False')),
      ),
      want: [],
    },
  ])

  it('says why the cluster makes no pods', () => {
    const [finding] = examine({
      mutate: replicas(3, {
        conditions: [
          { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'violates PodSecurity' },
        ],
      }),
    })
    expect(finding?.what).to.contain('violates PodSecurity')
  })
})

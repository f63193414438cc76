import { playDoctorTable } from '../support/doctor-table.ts'
import { add, change, deployment, object } from '../support/healthy-cluster.ts'

const second = (labels: Readonly<Record<string, string>>) =>
  add(deployment('billing', 'second', labels, 'agent-d', { image: 'second:1' }))

const pod = { spec: { serviceAccountName: 'agent-d', containers: [{ image: 'agent:1' }] } }

describe('doctor/accounts', () => {
  playDoctorTable([
    {
      name: 'two agents on one service account',
      mutate: second({ app: 'second' }),
      want: ['service_account_shared'],
    },
    {
      name: 'two versions of one agent',
      mutate: second({ app: 'insurance-agent', version: 'v2' }),
      want: [],
    },
    {
      name: 'an agent and its own pods',
      mutate: add(
        object('Pod', 'billing', 'insurance-agent-1', pod, {
          app: 'insurance-agent',
          'pod-template-hash': '5d8f',
        }),
      ),
      want: [],
    },
    {
      name: 'a pod that no Deployment made',
      mutate: add(object('Pod', 'billing', 'stray', pod, { app: 'stray' })),
      want: ['service_account_shared'],
    },
    {
      name: 'a service that runs as somebody else',
      mutate: change('Deployment/hospital/insurance', {
        spec: { template: { spec: { serviceAccountName: 'default' } } },
      }),
      want: ['identity_differs'],
    },
  ])
})

import { playDoctorTable } from '../support/doctor-table.ts'
import { add, all, change, object } from '../support/healthy-cluster.ts'

const own = 'Deployment/waywarden/waywarden'
const labels = { 'app.kubernetes.io/name': 'waywarden' }
const pods = add(
  ...['waywarden-a', 'waywarden-b'].map((name) =>
    object('Pod', 'waywarden', name, { spec: { serviceAccountName: 'waywarden' } }, labels),
  ),
)
const strategy = (given: object) => change(own, { spec: { replicas: 1, strategy: given } })

describe('doctor/recovery', () => {
  playDoctorTable([
    { name: 'several replicas without recovery', mutate: change(own, { spec: { replicas: 3 } }), want: [] },
    {
      name: 'recovery, and several replicas',
      mutate: change(own, { spec: { replicas: 3 } }),
      config: { recovery: {} },
      want: ['recovery_replicas'],
    },
    {
      name: 'recovery, and several pods',
      mutate: pods,
      config: { recovery: {} },
      want: ['recovery_replicas'],
    },
    {
      name: 'recovery, and several replicas that are said to be safe',
      mutate: change(own, { spec: { replicas: 3 } }),
      config: { recovery: { replicas: 'waypoints hash by session' } },
      want: ['recovery_accepted'],
    },
    {
      name: 'recovery, and one replica that is updated by a second one',
      mutate: change(own, { spec: { replicas: 1 } }),
      config: { recovery: {} },
      want: ['recovery_update'],
    },
    {
      name: 'recovery, and one replica that ends before its update',
      mutate: strategy({ type: 'Recreate' }),
      config: { recovery: {} },
      want: [],
    },
    {
      name: 'recovery, and one replica without surge',
      mutate: all(strategy({ rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } })),
      config: { recovery: {} },
      want: [],
    },
  ])
})

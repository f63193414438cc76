/** The hospital's trust domain. */
export const trustDomain = 'hospital.example'

/** The SPIFFE ID of each workload of the hospital, by the name of its process. */
export const workloads = {
  gateway: 'spiffe://hospital.example/ns/istio-ingress/sa/gateway',
  'agent-a': 'spiffe://hospital.example/ns/billing/sa/agent-a',
  'agent-d': 'spiffe://hospital.example/ns/billing/sa/agent-d',
  'agent-r': 'spiffe://hospital.example/ns/clinic/sa/agent-r',
  insurance: 'spiffe://hospital.example/ns/hospital/sa/insurance',
  'patient-records': 'spiffe://hospital.example/ns/hospital/sa/patient-records',
} as const

/** The proxy in front of every service. */
export const waypoint = 'spiffe://hospital.example/ns/hospital/sa/waypoint'

export type Workload = keyof typeof workloads

/** A service of the mesh: what its VIP is, what DNS calls it, and who answers. */
export type Service = {
  readonly name: ServiceName
  readonly workload: Workload
  readonly vip: string
  readonly vipPort: number
  readonly host: string
}

export type ServiceName =
  | 'billing-agent'
  | 'insurance-agent'
  | 'records-agent'
  | 'insurance'
  | 'patient-records'

/** The services of the hospital, with the facts that Kubernetes and DNS would have. */
export const services: readonly Service[] = [
  service('billing-agent', 'agent-a', '10.96.0.4', 'billing'),
  service('insurance-agent', 'agent-d', '10.96.0.2', 'billing'),
  service('records-agent', 'agent-r', '10.96.0.3', 'clinic'),
  service('insurance', 'insurance', '10.96.0.10', 'hospital'),
  service('patient-records', 'patient-records', '10.96.0.11', 'hospital'),
]

/** By which way through the waypoint: with Waywarden, or the same way without it. */
export type Lane = 'guarded' | 'bare'

export const lanes: readonly Lane[] = ['guarded', 'bare']

/** Finds a service by name, as DNS would. */
export function findService(name: string): Service {
  const found = services.find((candidate) => candidate.name === name)
  if (found === undefined) throw new Error(`the hospital has no service \`${name}\``)
  return found
}

function service(name: ServiceName, workload: Workload, vip: string, namespace: string): Service {
  return { name, workload, vip, vipPort: 8080, host: `${name}.${namespace}.svc.cluster.local` }
}

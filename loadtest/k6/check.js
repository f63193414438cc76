// One Check as a waypoint asks it, shared by the scripts beside it. The environment sets the request; see README.md.
import { check } from 'k6'
import { Counter } from 'k6/metrics'
import grpc from 'k6/net/grpc'

const address = __ENV.ADDRESS || '127.0.0.1:9191'
const destination = __ENV.DESTINATION || '10.96.0.10:8080'
const waypoint = __ENV.WAYPOINT || 'spiffe://hospital.example/ns/hospital/sa/waypoint'
const caller = __ENV.CALLER || 'spiffe://hospital.example/ns/billing/sa/agent-d'
const method = __ENV.METHOD || 'GET'
const path = __ENV.REQUEST_PATH || '/coverage/p-7'
const chain = open(__ENV.CHAIN_FILE || 'chain').trim()

const client = new grpc.Client()
client.load(['../../proto'], 'envoy/service/auth/v3/external_auth.proto')

/** Answers other than an allow. */
const denials = new Counter('denials')
let isTold = false

const [vip, port] = destination.split(':')
const request = {
  attributes: {
    destination: { address: { socket_address: { address: vip, port_value: Number(port) } } },
    request: {
      http: {
        method,
        path,
        host: destination,
        headers: {
          ':method': method,
          ':path': path,
          'x-forwarded-client-cert': `By=${waypoint};URI=${caller}`,
          'actor-chain': chain,
        },
      },
    },
  },
}

const p99Ms = 50

/** Nothing is good enough when a request that should be allowed is not. */
export const thresholds = {
  checks: ['rate==1'],
  grpc_req_duration: [`p(99)<${p99Ms}`, 'p(99.9)<150'],
}

/** The virtual users that wait at once while every answer takes as long as it may. To add one costs k6 more than to ask. */
export function waitingAt(perSecond) {
  return Math.ceil((perSecond * p99Ms) / 1000)
}

/** Asks once; the connection stays open for all that this virtual user asks. */
export function ask() {
  if (__ITER === 0) client.connect(address, { plaintext: true })
  const answer = client.invoke('envoy.service.auth.v3.Authorization/Check', request)
  const denied = answer.message?.deniedResponse
  const isAllowed = answer.status === grpc.StatusOK && !denied
  if (!isAllowed) tell(codeOf(answer, denied))
  check(answer, { 'is allowed': () => isAllowed })
}

/** Each virtual user says its first refusal alone: the counter has the rest. */
function tell(code) {
  denials.add(1, { code })
  if (!isTold) console.error(`not allowed: ${code}`)
  isTold = true
}

function codeOf(answer, denied) {
  if (!denied) return answer.error ? answer.error.message : `grpc ${answer.status}`
  return JSON.parse(denied.body).code
}

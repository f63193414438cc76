// More and more requests a second, until answers come too late: how much can it take? It ends early when they do.
import { ask, thresholds, waitingAt } from './check.js'

const most = Number(__ENV.MOST || 2000)

export const options = {
  scenarios: {
    ramp: {
      exec: 'ask',
      executor: 'ramping-arrival-rate',
      startRate: 10,
      timeUnit: '1s',
      stages: [
        { duration: '20s', target: most / 10 },
        { duration: '40s', target: most / 2 },
        { duration: '60s', target: most },
        { duration: '20s', target: 0 },
      ],
      preAllocatedVUs: waitingAt(most),
      maxVUs: 2 * waitingAt(most),
    },
  },
  thresholds: {
    checks: thresholds.checks,
    grpc_req_duration: [{ threshold: 'p(99)<50', abortOnFail: true, delayAbortEval: '10s' }],
    // Requests that no virtual user was free for: the rate was not reached.
    dropped_iterations: ['count<100'],
  },
}

export { ask }

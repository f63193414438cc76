// A steady rate for ten minutes: does it stay as fast as it began? Give it a chain that lives as long.
import { ask, thresholds, waitingAt } from './check.js'

const rate = Number(__ENV.RATE || 500)

export const options = {
  scenarios: {
    soak: {
      exec: 'ask',
      executor: 'constant-arrival-rate',
      rate,
      timeUnit: '1s',
      duration: __ENV.FOR || '10m',
      preAllocatedVUs: waitingAt(rate),
      maxVUs: 2 * waitingAt(rate),
    },
  },
  thresholds,
}

export { ask }

// A steady rate for ten minutes: does it stay as fast as it began? Give it a chain that lives as long.
import { ask, thresholds } from './check.js'

export const options = {
  scenarios: {
    soak: {
      exec: 'ask',
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE || 500),
      timeUnit: '1s',
      duration: __ENV.FOR || '10m',
      preAllocatedVUs: 20,
      maxVUs: 200,
    },
  },
  thresholds,
}

export { ask }

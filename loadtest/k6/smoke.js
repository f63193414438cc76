// Ten requests a second for ten seconds: does it answer at all?
import { ask, thresholds } from './check.js'

export const options = {
  scenarios: {
    smoke: {
      exec: 'ask',
      executor: 'constant-arrival-rate',
      rate: 10,
      timeUnit: '1s',
      duration: '10s',
      preAllocatedVUs: 2,
      maxVUs: 10,
    },
  },
  thresholds,
}

export { ask }

// Begins to run a candidate's tests, and runs on.
import { parentPort } from 'node:worker_threads'

parentPort.postMessage({ kind: 'testing' })
setInterval(() => {}, 1000)

import { createRequire } from 'node:module'
import { parentPort } from 'node:worker_threads'

// Does to the engine what no lexical limit would let through, and then goes on as if nothing had happened.
const cedar = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs')
const nested = `permit (principal, action, resource) when { ${'('.repeat(1000)}true${')'.repeat(1000)} };`
cedar.policySetTextToParts(nested)
parentPort.postMessage({ kind: 'proven', rest: {} })

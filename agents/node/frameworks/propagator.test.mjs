import { deepStrictEqual, strictEqual } from 'node:assert'
import { test } from 'node:test'
import { context, propagation, ROOT_CONTEXT } from '@opentelemetry/api'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { allow } from './chain.mjs'
import { textMapPropagator } from './recipe-propagator.mjs'
import { asTwoUsers, calls, startUpstream } from './support.mjs'

const provider = new NodeTracerProvider()
provider.register({ propagator: textMapPropagator(allow) })
registerInstrumentations({ instrumentations: [new HttpInstrumentation(), new UndiciInstrumentation()] })
// node:http is patched as it is loaded, so it is loaded by `require`, after its instrumentation.
const { get } = process.getBuiltinModule('node:module').createRequire(import.meta.url)('node:http')

const serving = (headers, work) => context.with(propagation.extract(ROOT_CONTEXT, headers), work)
const byFetch = async (url) => (await fetch(url)).text()
const byHttp = (url) =>
  new Promise((resolve, reject) => {
    get(url, async (response) => resolve((await response.toArray()).join(''))).on('error', reject)
  })

test('the propagator beside the standard ones', async (t) => {
  const { listed, unlisted, seen, close } = await startUpstream()
  t.after(close)
  await asTwoUsers(calls / 5, (user) =>
    serving({ 'actor-chain': user }, async () => {
      const urls = [listed, unlisted, `${listed}?to=${unlisted}`, `${unlisted}?to=${listed}`]
      const answers = await Promise.all([...urls.map(byFetch), byHttp(listed), byHttp(unlisted)])
      deepStrictEqual(answers, [user, 'none', 'none', user, user, 'none'])
    }),
  )
  strictEqual(seen.leaked, 0)
  await serving({}, async () => strictEqual(await byFetch(listed), 'none'))
})

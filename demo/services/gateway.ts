// The ingress gateway: people's requests enter the mesh here. `/<service>/…` goes to that service; it adds nothing.
import { header, outbound, serve } from './serve.ts'
import { chainHeader } from './task.ts'

const mesh = outbound()
const forwarded = ['authorization', 'content-type', chainHeader]

serve(async (request, body) => {
  const [, to = '', path = ''] = /^\/([a-z-]+)(\/.*)$/.exec(request.url ?? '') ?? []
  const headers = forwarded.flatMap((name) => {
    const value = header(request, name)
    return value === undefined ? [] : [[name, value] as const]
  })
  const lane = header(request, 'x-demo-lane') === 'bare' ? 'bare' : 'guarded'
  const answer = await mesh(lane)({
    to,
    method: request.method ?? 'GET',
    path,
    headers: Object.fromEntries(headers),
    body,
  })
  return { status: answer.status, headers: toHeaders(answer.headers), body: answer.body }
})

function toHeaders(headers: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const kept = ['content-type', 'waywarden-decision-id'].map((name) => [name, headers[name]] as const)
  return Object.fromEntries(
    kept.filter((entry): entry is readonly [string, string] => entry[1] !== undefined),
  )
}

import type { ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import { expect } from 'chai'
import type { Event } from '../../src/base/model/event.ts'
import { invalid } from '../../src/base/model/invalid.ts'
import { Exporter, type ExporterOptions } from '../../src/telemetry/exporter.ts'
import { readRejectedSpans } from '../../src/telemetry/otlp.ts'
import { accept, acceptPartly, startOtlpReceiver } from '../support/otlp-receiver.ts'

const pace = { batch: 2, delayMs: 0, attempts: 3, pauseMs: 0, closeMs: 50, newsMs: 60_000 }

/** An exporter of empty requests, and what it reports. */
function build(url: string, overlay: Partial<ExporterOptions<string>> = {}) {
  const events: Event[] = []
  const exporter = new Exporter<string>({
    ...{ what: 'traces', url, endpoint: 'there', timeoutMs: 1000, maxQueued: 4, pace },
    headers: async () => new Map(),
    encode: () => new Uint8Array(),
    readRejected: readRejectedSpans,
    report: (event) => events.push(event),
    ...overlay,
  })
  return { exporter, events }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate)
}

/** The reports, shortened. */
function tell(events: readonly Event[]): readonly string[] {
  return events.map((event) => {
    if (event.kind === 'export_lost') return `lost ${event.items}: ${event.loss}`
    if (event.kind === 'exported') return `exported ${event.items}${event.isNews ? ', at last' : ''}`
    return event.kind === 'export_failed' ? `failed${event.isNews ? ', news' : ''}` : event.kind
  })
}

describe('telemetry/exporter', () => {
  it('sends what waits in batches, with the headers of that moment', async () => {
    await using receiver = await startOtlpReceiver()
    let asked = 0
    const headers = async () => new Map([['authorization', `secret ${++asked}`]])
    const { exporter, events } = build(receiver.url, { headers })
    exporter.offer(['a', 'b', 'c'])
    await until(() => events.length === 2)
    expect(tell(events)).to.deep.equal(['exported 2', 'exported 1'])
    expect(receiver.requests.map((request) => request.headers.authorization)).to.deep.equal([
      'secret 1',
      'secret 2',
    ])
    expect(receiver.requests[0]?.headers['content-type']).to.equal('application/x-protobuf')
    await exporter[Symbol.asyncDispose]()
  })

  it('tries again what an endpoint could not take for now, and says once that it is down', async () => {
    let answers = 0
    await using receiver = await startOtlpReceiver((response) => {
      if (++answers < 3) response.writeHead(503).end()
      else accept(response)
    })
    const { exporter, events } = build(receiver.url)
    exporter.offer(['a'])
    await until(() => events.length === 3)
    expect(tell(events)).to.deep.equal(['failed, news', 'failed', 'exported 1, at last'])
    await exporter[Symbol.asyncDispose]()
  })

  it('counts what an endpoint took and threw away', async () => {
    await using receiver = await startOtlpReceiver((response) => acceptPartly(response, 1))
    const { exporter, events } = build(receiver.url)
    exporter.offer(['a', 'b'])
    await until(() => events.length === 2)
    expect(tell(events)).to.deep.equal(['exported 1', 'lost 1: refused'])
    await exporter[Symbol.asyncDispose]()
  })

  const refusals: readonly { readonly name: string; readonly answer: (response: ServerResponse) => void }[] =
    [
      { name: 'a refusal', answer: (response) => response.writeHead(400).end() },
      { name: 'a redirect', answer: (response) => response.writeHead(307, { location: '/elsewhere' }).end() },
      {
        name: 'a web page',
        answer: (response) => response.setHeader('content-type', 'text/html').end('<!doctype html>'),
      },
      {
        name: 'garbage',
        answer: (response) =>
          response.setHeader('content-type', 'application/x-protobuf').end(Buffer.from([255, 255, 1])),
      },
      {
        name: 'an endless answer',
        answer: (response) =>
          response.setHeader('content-type', 'application/x-protobuf').end(Buffer.alloc(100_000)),
      },
    ]
  for (const { name, answer } of refusals) {
    it(`does not repeat itself after ${name}`, async () => {
      await using receiver = await startOtlpReceiver(answer)
      const { exporter, events } = build(receiver.url)
      exporter.offer(['a'])
      await until(() => events.length === 2)
      expect(tell(events)).to.deep.equal(['failed, news', 'lost 1: refused'])
      expect(receiver.requests).to.have.length(1)
      await exporter[Symbol.asyncDispose]()
    })
  }

  const outages: readonly { readonly name: string; readonly overlay: Partial<ExporterOptions<string>> }[] = [
    { name: 'nobody listens', overlay: { url: 'http://127.0.0.1:9' } },
    { name: 'it hangs', overlay: { timeoutMs: 5 } },
    { name: 'the file of a header is gone', overlay: { headers: async () => invalid('gone') } },
  ]
  for (const { name, overlay } of outages) {
    it(`gives up a batch after some attempts when ${name}`, async () => {
      await using receiver = await startOtlpReceiver(() => {})
      const { exporter, events } = build(receiver.url, overlay)
      exporter.offer(['a'])
      await until(() => events.length === 4)
      expect(tell(events)).to.deep.equal(['failed, news', 'failed', 'failed', 'lost 1: unreachable'])
      await exporter[Symbol.asyncDispose]()
    })
  }

  it('gives up on a server that talks something else', async () => {
    const server = createServer((socket) => socket.on('data', () => socket.end('SSH-2.0-x\r\n')))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const { exporter, events } = build(`http://127.0.0.1:${port}`)
    exporter.offer(['a'])
    await until(() => events.length === 4)
    expect(tell(events).at(-1)).to.equal('lost 1: unreachable')
    await exporter[Symbol.asyncDispose]()
    server.close()
  })

  it('loses what does not fit, whole, and counts what is under way', async () => {
    await using receiver = await startOtlpReceiver(() => {})
    const { exporter, events } = build(receiver.url)
    exporter.offer(['a', 'b'])
    await until(() => receiver.requests.length === 1)
    exporter.offer(['c', 'd'])
    exporter.offer(['e'])
    expect(tell(events)).to.deep.equal(['lost 1: queue_full'])
    await exporter[Symbol.asyncDispose]()
  })

  it('sends what waits when it closes', async () => {
    await using receiver = await startOtlpReceiver()
    const { exporter, events } = build(receiver.url, { pace: { ...pace, delayMs: 60_000, closeMs: 5000 } })
    exporter.offer(['a'])
    await exporter[Symbol.asyncDispose]()
    exporter.offer(['late'])
    expect(tell(events)).to.deep.equal(['exported 1', 'lost 1: shutdown'])
  })

  it('closes in time although an endpoint hangs', async () => {
    await using receiver = await startOtlpReceiver(() => {})
    const { exporter, events } = build(receiver.url)
    exporter.offer(['a', 'b', 'c'])
    await until(() => receiver.requests.length === 1)
    await exporter[Symbol.asyncDispose]()
    expect(tell(events)).to.deep.equal(['lost 3: shutdown'])
  })

  it('loses what cannot be encoded, and says that it is our fault', async () => {
    const encode = () => {
      throw new TypeError('unencodable')
    }
    const { exporter, events } = build('http://127.0.0.1:9', { encode })
    exporter.offer(['a'])
    await until(() => events.length === 2)
    expect(tell(events)).to.deep.equal(['fault', 'lost 1: refused'])
    await exporter[Symbol.asyncDispose]()
  })

  it('says again, after a while, that an endpoint is still down', async () => {
    const { exporter, events } = build('http://127.0.0.1:9', { pace: { ...pace, newsMs: 0 } })
    exporter.offer(['a'])
    await until(() => events.length === 4)
    expect(tell(events).slice(0, 3)).to.deep.equal(['failed, news', 'failed, news', 'failed, news'])
    await exporter[Symbol.asyncDispose]()
  })
})

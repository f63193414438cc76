import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import type { Event } from '../../../src/base/model/event.ts'
import {
  type AdminOptions,
  type AdminServer,
  createAdminServer,
  type Readiness,
} from '../../../src/server/admin/admin-server.ts'

type Reply = { status: number | undefined; headers: NodeJS.Dict<string | string[]>; body: string }

const whole = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'
const ready: Readiness = { ready: true, reasons: [], notices: ['plaintext behind ztunnel'] }

describe('server/admin/admin-server', () => {
  let events: Event[]
  beforeEach(() => {
    events = []
  })

  const pages = [
    { path: '/healthz', type: 'text/plain; charset=utf-8', body: 'ok\n' },
    { path: '/healthz?verbose', type: 'text/plain; charset=utf-8', body: 'ok\n' },
    { path: '/readyz', type: 'application/json', body: `${JSON.stringify(ready)}\n` },
    { path: '/metrics', type: 'text/plain; version=0.0.4; charset=utf-8', body: 'waywarden_ready 1\n' },
    { path: '/.well-known/jwks.json', type: 'application/jwk-set+json', body: '{"keys":[]}' },
  ]
  for (const { path, type, body } of pages) {
    it(`serves ${path}, and its head`, async () => {
      await using server = await open()
      const [get, head] = [await ask(server, 'GET', path), await ask(server, 'HEAD', path)]
      expect([get.status, get.headers['content-type'], get.body]).to.deep.equal([200, type, body])
      expect([head.status, head.headers['content-type'], head.body]).to.deep.equal([200, type, ''])
      expect(head.headers['content-length']).to.equal(String(Buffer.byteLength(body)))
      expect(get.headers['x-content-type-options']).to.equal('nosniff')
    })
  }

  it('lets verifiers remember the keys for five minutes, and nothing else', async () => {
    await using server = await open()
    expect((await ask(server, 'GET', '/.well-known/jwks.json')).headers['cache-control']).to.equal(
      'public, max-age=300',
    )
    expect((await ask(server, 'GET', '/readyz')).headers['cache-control']).to.equal('no-store')
  })

  it('says why it is not ready with 503', async () => {
    const readiness = (): Readiness => ({ ready: false, reasons: ['no policy revision'], notices: [] })
    await using server = await open({ readiness })
    const reply = await ask(server, 'GET', '/readyz')
    expect(reply.status).to.equal(503)
    expect(JSON.parse(reply.body)).to.deep.equal({
      ready: false,
      reasons: ['no policy revision'],
      notices: [],
    })
    expect((await ask(server, 'GET', '/healthz')).status).to.equal(200)
  })

  for (const path of [
    '/',
    '/healthz/',
    '//healthz',
    '/HEALTHZ',
    '/../healthz',
    '/%68ealthz',
    '/metrics/../healthz',
    '*',
  ]) {
    it(`knows no ${path}`, async () => {
      await using server = await open()
      expect((await ask(server, 'GET', path)).status).to.equal(404)
    })
  }

  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) {
    it(`changes nothing on ${method}`, async () => {
      await using server = await open()
      const reply = await ask(server, method, '/readyz')
      expect([reply.status, reply.headers['allow']]).to.deep.equal([405, 'GET, HEAD'])
    })
  }

  it('answers a fault with 500 and no detail, reports it, and serves on', async () => {
    const fail = (): never => {
      throw new Error('secret detail')
    }
    await using server = await open({
      readiness: fail,
      metricsText: () => Promise.reject(new Error('secret detail')),
      jwks: fail,
    })
    for (const path of ['/readyz', '/metrics', '/.well-known/jwks.json']) {
      const reply = await ask(server, 'GET', path)
      expect([reply.status, reply.body]).to.deep.equal([500, 'internal error\n'])
    }
    expect(events.filter((event) => event.kind === 'fault')).to.have.length(3)
    expect((await ask(server, 'GET', '/healthz')).status).to.equal(200)
  })

  it('answers at once and hangs up when a body comes that it does not want', async () => {
    await using server = await open()
    const reply = await raw(server, 'POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nabc')
    expect(reply)
      .to.match(/^HTTP\/1\.1 405 /)
      .and.to.match(/connection: close/i)
  })

  const malformed = [
    { name: 'bytes that are no HTTP', input: 'hello\r\n\r\n', want: 400 },
    { name: 'a request without a host', input: 'GET /healthz HTTP/1.1\r\n\r\n', want: 400 },
    {
      name: 'headers beyond 8 KiB',
      input: `GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(9000)}\r\n\r\n`,
      want: 431,
    },
    {
      name: 'both framings',
      input: 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
      want: 400,
    },
  ]
  for (const { name, input, want } of malformed) {
    it(`answers ${name} with ${want}`, async () => {
      await using server = await open()
      expect(await raw(server, input)).to.match(new RegExp(`^HTTP/1\\.1 ${want} `))
    })
  }

  it('shows the address that the system chose, and reports it', async () => {
    await using server = await open()
    expect(server.address).to.equal(`127.0.0.1:${server.port}`)
    expect(events).to.deep.include({ kind: 'listening', what: 'admin', address: server.address })
  })

  it('does not open on a port that is taken', async () => {
    await using first = await open()
    const error: unknown = await open({ port: first.port }).catch((cause: unknown) => cause)
    expect(error).to.have.property('code', 'admin_unavailable')
  })

  it('closes at once though a scraper keeps its connection', async () => {
    const server = await open()
    const scraper = connect(server.port, '127.0.0.1')
    await once(scraper, 'connect')
    const closed = once(scraper, 'close')
    await server[Symbol.asyncDispose]()
    await closed
    expect(scraper.readyState).to.equal('closed')
  })

  for (const { name, attackers, say } of [
    { name: 'an address that says nothing', attackers: ['127.0.0.2'], say: '' },
    { name: "the probe's own address", attackers: ['127.0.0.1'], say: 'GET / HTTP/1.1\r\na' },
    {
      name: 'an address that does not end its headers',
      attackers: ['127.0.0.2'],
      say: 'GET / HTTP/1.1\r\na',
    },
    { name: 'an address that keeps its connections alive', attackers: ['127.0.0.2'], say: whole },
    {
      name: 'ten addresses',
      attackers: Array.from({ length: 10 }, (_, index) => `127.0.0.${index + 2}`),
      say: '',
    },
    {
      name: 'more addresses than there is room for',
      attackers: Array.from({ length: 130 }, (_, index) => `127.0.0.${index + 2}`),
      say: '',
    },
  ]) {
    it(`answers a probe though 130 connections are held by ${name}`, async () => {
      await using server = await open()
      await using held = await holdConnections(server, attackers, say)
      expect((await ask(server, 'GET', '/healthz')).status).to.equal(200)
      expect(held.open().length).to.be.at.most(100)
    })
  }

  it('lets a scraper keep its connection though another address opens many', async () => {
    await using server = await open()
    const scraper = connect(server.port, '127.0.0.1')
    scraper.write(whole)
    await once(scraper, 'data')
    await using _ = await holdConnections(server, ['127.0.0.2'], whole)
    scraper.write(whole)
    expect(String(await once(scraper, 'data'))).to.match(/^HTTP\/1\.1 200 /)
    scraper.destroy()
  })

  it('lets a scraper keep its connection though others of its own address bring no whole request', async () => {
    await using server = await open()
    const scraper = connect(server.port, '127.0.0.1')
    scraper.write(whole)
    await once(scraper, 'data')
    await using _ = await holdConnections(server, ['127.0.0.1'], '')
    scraper.write(whole)
    expect(String(await once(scraper, 'data'))).to.match(/^HTTP\/1\.1 200 /)
    scraper.destroy()
  })

  it('ends no answer that is being made, though other addresses open many', async () => {
    let answerMetrics = (_text: string) => {}
    let tellAsked = () => {}
    const asked = new Promise<void>((resolve) => {
      tellAsked = resolve
    })
    const metricsText = () => {
      tellAsked()
      return new Promise<string>((resolve) => {
        answerMetrics = resolve
      })
    }
    await using server = await open({ metricsText })
    const reply = ask(server, 'GET', '/metrics')
    await asked
    await using _ = await holdConnections(server, ['127.0.0.2', '127.0.0.3', '127.0.0.4'], '')
    answerMetrics('late 1\n')
    expect((await reply).body).to.equal('late 1\n')
  })

  function open(options: Partial<AdminOptions> = {}): Promise<AdminServer> {
    return createAdminServer({
      address: '127.0.0.1',
      port: 0,
      readiness: () => ready,
      metricsText: async () => 'waywarden_ready 1\n',
      jwks: () => ({ keys: [] }),
      report: (event) => void events.push(event),
      ...options,
    })
  }
})

/** Opens 130 connections, spread over addresses of loopback, one after the other, and says the same on each. */
async function holdConnections(
  server: AdminServer,
  addresses: readonly string[],
  say: string,
): Promise<AsyncDisposable & { readonly open: () => readonly Socket[] }> {
  const sockets: Socket[] = []
  for (let count = 0; count < 130; count++) {
    const localAddress = addresses[count % addresses.length] ?? ''
    const socket = connect({ port: server.port, host: '127.0.0.1', localAddress })
    sockets.push(socket.on('error', () => {}))
    await once(socket, 'connect')
    socket.write(say)
    if (say.endsWith('\r\n\r\n')) await once(socket, 'data')
    socket.resume()
  }
  return {
    open: () => sockets.filter(({ closed }) => !closed),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function ask(server: AdminServer, method: string, path: string): Promise<Reply> {
  const sent = request({ host: '127.0.0.1', port: server.port, method, path, agent: false }).end()
  const [response] = await once(sent, 'response')
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

async function raw(server: AdminServer, bytes: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1')
  socket.write(bytes)
  return text(socket)
}

import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { freePorts } from '../../demo/ports.ts'
import { Processes } from '../../demo/processes.ts'
import { waywardenProgram } from '../../demo/waywarden.ts'
import {
  type CheckResponseFields,
  decodeCheckResponse,
  encodeCheckRequest,
} from '../support/check-request.ts'
import { type ConnectProxy, startConnectProxy } from '../support/connect-proxy.ts'
import { createRemote, samplePolicies } from '../support/git-remote.ts'
import { createGrpcClient, type GrpcClient } from '../support/grpc-client.ts'
import { uris } from '../support/hospital.ts'
import { type HttpsRemote, serveHttps } from '../support/https-remote.ts'
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts'
import { type Asked, createSecrets, type Secrets, secretsOf, writeInputs } from '../support/secrets.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

describe('secrets', () => {
  let directory: string
  let secrets: Secrets
  const at = (name: string) => join(directory, name)
  /** Everything that came out, by where it came out. */
  const written = new Map<string, string>()
  const answers = new Map<string, CheckResponseFields>()
  let server: HttpsRemote
  let proxy: ConnectProxy
  let traces: OtlpReceiver

  before(async () => {
    directory = temporaryDirectory()
    secrets = createSecrets()
    const { gitToken, proxyPassword } = secrets.texts
    server = await serveHttps(createRemote(samplePolicies()), `x-access-token:${gitToken}`)
    proxy = await startConnectProxy(`clerk:${proxyPassword}`)
    traces = await startOtlpReceiver()
    const [port = 0, adminPort = 0] = await freePorts(2)
    writeInputs(secrets, directory, {
      port,
      adminPort,
      url: server.url,
      ca: server.certificate,
      proxy: proxy.url,
      traces: traces.url,
    })
    const admin = `http://127.0.0.1:${adminPort}`
    {
      await using processes = new Processes(directory)
      await processes.start({
        name: 'waywarden',
        command: process.execPath,
        args: ['--enable-source-maps', waywardenProgram, 'serve', '-c', at('waywarden.yaml')],
        readyUrl: `${admin}/readyz`,
      })
      const client = createGrpcClient(port)
      for (const question of secrets.asked) answers.set(question.name, await ask(client, question))
      client.close()
      for (const page of ['/readyz', '/metrics', '/.well-known/jwks.json'])
        written.set(page, await (await fetch(admin + page)).text())
    }
    for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }))
      if (!name.startsWith('secrets') && lstatSync(at(name)).isFile())
        written.set(name, readFileSync(at(name), 'latin1'))
    for (const [name, answer] of answers) {
      // The chain for the callee may only appear at the callee.
      written.set(
        `answer: ${name}`,
        JSON.stringify({ ...answer, setHeaders: Object.keys(answer.setHeaders) }),
      )
    }
    written.set('spans', traces.requests.map(({ body }) => body.toString('latin1')).join())
    await runCommands(at('audit'), written)
  })
  after(async () => {
    await traces[Symbol.asyncDispose]()
    await proxy[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  it('are looked for where there is something to find', () => {
    const codes = new Set([...answers.values()].map(({ body }) => body?.['code']))
    const wanted = ['token_invalid', 'token_expired', 'token_audience', 'token_from_agent', 'chain_signature']
    expect([...codes]).to.include.members([
      ...wanted,
      'chain_malformed',
      'chain_not_yours',
      'path_ambiguous',
      undefined,
    ])
    expect(proxy.asked.length).to.be.greaterThan(0)
    expect(traces.spans.length).to.be.greaterThan(answers.size)
    expect(written.get('waywarden.log')).to.contain('"decisionId"')
    expect([...written.keys()].filter((name) => name.endsWith('.ndjson'))).to.have.length(1)
    expect(written.get('audit find')?.split('\n')).to.have.length.greaterThan(answers.size - 1)
  })

  it('stand in nothing that was written, printed, shown or answered', () => {
    const found = secretsOf(secrets, directory).flatMap(([secret, text]) =>
      [...written].filter(([, content]) => content.includes(text)).map(([where]) => `${secret}: ${where}`),
    )
    expect(found).to.deep.equal([])
  })

  it('are not written in another form of a token', () => {
    const token = /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/
    expect([...written].filter(([, content]) => token.test(content)).map(([where]) => where)).to.deep.equal(
      [],
    )
  })

  it('include who the users are, where they have pseudonyms', () => {
    const records = [...written].filter(([name]) => /\.ndjson$|^waywarden\.log$|^spans$/.test(name))
    expect(records).to.have.length(3)
    for (const [, content] of records) expect(content).to.not.match(/"clerk"|hospital\/clerk/)
  })
})

async function ask(
  client: GrpcClient,
  { peer, to, method, path, headers }: Asked,
): Promise<CheckResponseFields> {
  const all = [['x-forwarded-client-cert', `By=${uris.waypoint};URI=${peer}`] as const, ...headers]
  return decodeCheckResponse(
    await client.check(
      encodeCheckRequest({ method, path, destinationAddress: to, headers: Object.fromEntries(all) }),
    ),
  )
}

/** The outputs that operators read afterwards. */
async function runCommands(audit: string, written: Map<string, string>): Promise<void> {
  const found = await run(['audit', 'find', audit, '--json'])
  const decisions = found.out.split('\n').map((line) => JSON.parse(line))
  const txn = decisions.find((decision) => decision.txn !== undefined)?.txn
  const commands = [
    ['report', audit],
    ['audit', 'show', String(txn), audit, '--json'],
    ...decisions.slice(0, 3).map(({ decisionId }) => ['why', String(decisionId), '--audit', audit]),
  ]
  written.set('audit find', found.out)
  for (const argv of commands) {
    const { out, err } = await run(argv)
    written.set(argv.join(' '), out + err)
  }
}

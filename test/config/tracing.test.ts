import { expect } from 'chai'
import { isProblems } from '../../src/base/model/problems.ts'
import { type Config, parseConfig } from '../../src/config/config.ts'
import { settings } from '../support/settings.ts'

function parse(tracing: string, env = new Map<string, string>()): Config['tracing'] | readonly string[] {
  const parsed = parseConfig('/etc/waywarden/waywarden.yaml', `${settings}tracing: ${tracing}\n`, env)
  return isProblems(parsed) ? parsed.problems.map(({ path }) => path) : parsed.tracing
}

describe('config/tracing', () => {
  it('is off unless it is asked for', () => {
    const parsed = parseConfig('waywarden.yaml', settings, new Map())
    expect(isProblems(parsed) || parsed.tracing).to.equal(undefined)
  })

  it('appends the path of OTLP, makes files absolute and fills in careful defaults', () => {
    const headers = '[{name: authorization, file: secrets/otlp}]'
    expect(
      parse(
        `{endpoints: [{url: "http://collector:4318"}, {url: "https://host/otlp/", headers: ${headers}}]}`,
      ),
    ).to.deep.equal({
      sample: 0.01,
      denials: false,
      project: 'waywarden',
      endpoints: [
        { url: 'http://collector:4318/v1/traces', headers: [] },
        {
          url: 'https://host/otlp/v1/traces',
          headers: [{ name: 'authorization', file: '/etc/waywarden/secrets/otlp' }],
        },
      ],
      timeoutMs: 5000,
      maxQueued: 8192,
    })
  })

  for (const url of ['http://user:hunter2@host', 'https://hunter2@host', 'https://host/?key=hunter2']) {
    it(`shows no secret of \`${url}\``, () => {
      const parsed = parseConfig(
        'waywarden.yaml',
        `${settings.replace(/issuer: https:[^,}]*/, `issuer: "${url}"`)}tracing: {endpoints: [{url: "${url}"}]}\n`,
        new Map(),
      )
      const problems = isProblems(parsed) ? parsed.problems : []
      expect(problems.map(({ path }) => path)).to.include.members(['tracing.endpoints.0.url', 'chain.issuer'])
      expect(JSON.stringify(problems)).to.not.include('hunter2')
    })
  }

  it('takes a share from the environment', () => {
    const env = new Map([['WAYWARDEN__TRACING__SAMPLE', '0.25']])
    expect(parse('{endpoints: [{url: "http://collector:4318"}]}', env)).to.include({ sample: 0.25 })
  })

  const url = 'url: "http://collector:4318"'
  const refused: readonly { readonly name: string; readonly tracing: string; readonly at: string }[] = [
    { name: 'no endpoint', tracing: '{endpoints: []}', at: 'tracing.endpoints' },
    {
      name: 'a URL that has the path already',
      tracing: '{endpoints: [{url: "http://collector:4318/v1/traces"}]}',
      at: 'tracing.endpoints.0.url',
    },
    {
      name: 'a secret in the URL',
      tracing: '{endpoints: [{url: "https://user:secret@host"}]}',
      at: 'tracing.endpoints.0.url',
    },
    {
      name: 'a query in the URL',
      tracing: '{endpoints: [{url: "https://host?key=secret"}]}',
      at: 'tracing.endpoints.0.url',
    },
    { name: 'gRPC', tracing: '{endpoints: [{url: "grpc://host"}]}', at: 'tracing.endpoints.0.url' },
    { name: 'a share above 1', tracing: `{sample: 2, endpoints: [{${url}}]}`, at: 'tracing.sample' },
    {
      name: 'the value of a header in the file',
      tracing: `{endpoints: [{${url}, headers: [{name: authorization, value: x, file: f}]}]}`,
      at: 'tracing.endpoints.0.headers.0.value',
    },
  ]
  for (const { name, tracing, at } of refused) {
    it(`refuses ${name}`, () => expect(parse(tracing)).to.deep.equal([at]))
  }
})

import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse } from 'yaml'
import { denyCodes } from '../src/base/model/decision.ts'
import { followedSources } from '../src/base/model/event.ts'
import { createMetrics } from '../src/telemetry/metrics.ts'
import { primaryName } from '../src/telemetry/worker-metrics.ts'
import { anchorOf, readDocument } from './support/document.ts'
import { follow, login } from './support/followed-provider.ts'
import { startOtlpReceiver } from './support/otlp-receiver.ts'
import { type PromqlNames, parsePromql } from './support/promql.ts'
import { createProviderKey, startProvider, tokenBy } from './support/provider.ts'
import { chainNow, startTestApp } from './support/running-app.ts'
import { temporaryDirectory } from './support/temporary-directory.ts'
import { tracingTo } from './support/traced-chain.ts'

type Rule = {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}
type Panel = {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string }[]
}

const operations = readDocument('docs/operations.md')
const {
  kind,
  spec,
}: {
  readonly kind: string
  readonly spec: { readonly groups: readonly { readonly rules: readonly Rule[] }[] }
} = parse(readFileSync('istio/observability/prometheus-rule.yaml', 'utf8'))
const rules = spec.groups.flatMap((group) => group.rules)
const alerts = rules.flatMap(({ alert, ...rule }) => (alert === undefined ? [] : [{ name: alert, ...rule }]))
const recorded = rules.flatMap(({ record }) => record ?? [])

const dashboard: { readonly panels: readonly Panel[] } = JSON.parse(
  readFileSync('istio/observability/dashboard.json', 'utf8'),
)
const expressions = [
  ...rules.map(({ alert, record, expr }) => ({ name: alert ?? record ?? '', expr })),
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ name: `panel ${title}`, expr: filledIn(expr) })),
  ),
  ...operations.fences
    .filter(({ language }) => language === 'promql')
    .flatMap(({ text }) => text.trim().split('\n'))
    .map((expr) => ({ name: `docs/operations.md ${expr}`, expr })),
]

describe('observability: what a running Waywarden measures', () => {
  let directory: string
  let metrics: ReadonlyMap<string, ReadonlySet<string>>
  before(async () => {
    directory = temporaryDirectory()
    metrics = toLabelsByMetric(
      [
        await measure(directory),
        await measureShadow(),
        await measureWorkers(),
        await measureCertificates(),
        await measureProvider(),
      ].join('\n'),
    )
  })

  for (const { name, expr } of expressions) {
    it(`${name}: parses, and names only metrics and labels that there are`, () => {
      const named = parsePromql(expr)
      expect(named.metrics).to.not.have.length(0)
      expect(
        named.metrics.filter((metric) => !metrics.has(metric) && !recorded.includes(metric)),
      ).to.deep.equal([])
      expect(named.labels.filter((label) => !isLabelOf(label, named, metrics))).to.deep.equal([])
    })

    it(`${name}: matches only codes and outcomes that there are`, () => {
      const known: Readonly<Record<string, readonly string[]>> = {
        code: denyCodes,
        outcome: ['allow', 'observed', 'deny'],
      }
      const unknown = parsePromql(expr).matchers.flatMap(({ label, value }) =>
        value.split('|').filter((each) => known[label]?.includes(each) === false),
      )
      expect(unknown).to.deep.equal([])
    })
  }

  it('has a panel or a rule for every metric of ours', () => {
    const named = expressions.flatMap(({ expr }) => parsePromql(expr).metrics)
    const ours = [...metrics.keys()].filter((metric) => /^waywarden_.*(?<!_sum|_count)$/.test(metric))
    expect(ours.filter((metric) => !named.some((other) => other.startsWith(metric)))).to.deep.equal([])
  })

  it('is what docs/operations.md names', () => {
    const named = operations.spans.flatMap((span) => /^(?:waywarden|nodejs|process)_\w+/.exec(span) ?? [])
    expect(named).to.not.have.length(0)
    expect(named.filter((metric) => !metrics.has(metric))).to.deep.equal([])
  })

  it('docs/operations.md has the queries of its capacity table, and every source that can fail', () => {
    expect(expressions.filter(({ name }) => name.startsWith('docs/operations.md'))).to.have.length(2)
    expect(operations.spans).to.include.members([...followedSources])
  })
})

describe('observability: rules', () => {
  it('is one PrometheusRule', () => expect(kind).to.equal('PrometheusRule'))

  it('has every alert once, and docs/operations.md says of each what to do', () => {
    const names = alerts.map(({ name }) => name)
    const explained = operations.rows.flatMap(([cell = '']) => /^`(Waywarden\w+)`$/.exec(cell)?.[1] ?? [])
    expect(new Set(names).size).to.equal(names.length)
    expect(explained.toSorted()).to.deep.equal(names.toSorted())
  })

  for (const { name, labels, annotations } of alerts) {
    it(`${name}: says how bad it is, what it means and where to read on`, () => {
      expect(labels?.['severity']).to.be.oneOf(['info', 'warning', 'critical'])
      expect(annotations?.['summary']).to.be.a('string')
      const [page, anchor] = annotations?.['runbook_url']?.split('/blob/main/').at(-1)?.split('#') ?? []
      expect(page).to.equal(operations.path)
      expect(operations.headings.map(({ text }) => anchorOf(text))).to.include(anchor)
    })
  }
})

describe('observability: dashboard', () => {
  it('has panels of distinct ids, each with something to show', () => {
    const ids = dashboard.panels.map(({ id }) => id)
    expect(new Set(ids).size).to.equal(ids.length)
    const empty = dashboard.panels.filter(({ type, targets = [] }) => type !== 'row' && targets.length === 0)
    expect(empty).to.deep.equal([])
  })

  it('lays no panel over another or over the edge', () => {
    for (const { title, id, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).to.be.at.most(24)
      const others = dashboard.panels.filter((panel) => panel.id !== id)
      expect(
        others.filter((other) => overlap(gridPos, other.gridPos)).map((other) => other.title),
        title,
      ).to.deep.equal([])
    }
  })

  it('is what the kustomization ships', () => {
    const kustomization = parse(readFileSync('istio/observability/kustomization.yaml', 'utf8'))
    expect(kustomization.resources).to.deep.equal(['prometheus-rule.yaml'])
    expect(kustomization.configMapGenerator[0].files).to.deep.equal(['dashboard.json'])
  })
})

describe('observability: promql', () => {
  const broken = [
    'sum(',
    'a +',
    'rate(a[5m)',
    'a{b}',
    'a{b="c"',
    'sum by a (b)',
    'a b',
    '5m',
    'a offset b',
    '$a',
  ]
  for (const text of broken) {
    it(`refuses \`${text}\``, () => expect(() => parsePromql(text)).to.throw(SyntaxError))
  }
})

/** The metrics of a Waywarden that has allowed, denied, sent and lost spans, refused a reload and failed to write. */
async function measure(directory: string): Promise<string> {
  await using receiver = await startOtlpReceiver()
  await using refusing = await startOtlpReceiver((response) => response.writeHead(400).end())
  await using running = await startTestApp(directory, tracingTo([receiver.url, refusing.url]), 20)
  const metricsUrl = `http://${running.app.addresses.admin}/metrics`
  const readMetrics = async () => (await fetch(metricsUrl)).text()
  await running.ask({ headers: { 'actor-chain': chainNow() } })
  await running.ask({})
  await writeFile(join(directory, 'revocations.json'), 'neither JSON nor in force')
  while (!(await readMetrics()).includes('waywarden_reloads_refused_total{what="revocations"} 1'));
  while (!/export_items_total\{.*export_lost_total\{/s.test(await readMetrics()));
  await rm(join(directory, 'audit'), { recursive: true })
  await writeFile(join(directory, 'audit'), 'no directory')
  // The log looks now and then whether its file still has its name.
  do await running.ask({ headers: { 'actor-chain': chainNow() } })
  while (!(await readMetrics()).includes('waywarden_faults_total{'))
  return await readMetrics()
}

/** The metrics of a shadow revision that decides something otherwise. */
async function measureShadow(): Promise<string> {
  const metrics = createMetrics(() => true)
  metrics.shadowFollowed('revision')
  metrics.shadowJudged('allow', 'policy_denied', false)
  return metrics.toText()
}

/** The metrics of a listener with TLS. */
/** The metrics of a Waywarden that fetches keys. */
async function measureProvider(): Promise<string> {
  const key = createProviderKey()
  await using provider = await startProvider(key)
  await using running = await follow(provider)
  await login(running, tokenBy(key))
  return (await fetch(`http://${running.app.addresses.admin}/metrics`)).text()
}

async function measureCertificates(): Promise<string> {
  const metrics = createMetrics(() => true)
  metrics.certificateRead('0.0.0.0:9191', 'cert', { expiresMs: 2, renewalDueMs: 1 })
  return metrics.toText()
}

/** The metrics of the primary about its workers. */
async function measureWorkers(): Promise<string> {
  const metrics = createMetrics(() => true, 0, primaryName)
  metrics.workerConnections(1, 1)
  return metrics.toText()
}

function toLabelsByMetric(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const labels = new Map<string, Set<string>>()
  for (const line of text.split('\n')) {
    const [, metric, pairs = ''] = /^([a-z]\w*)(?:\{(.*)\})? \S+$/.exec(line) ?? []
    if (metric === undefined) continue
    const known = labels.get(metric) ?? new Set()
    for (const [, label = ''] of pairs.matchAll(/(\w+)="/g)) known.add(label)
    labels.set(metric, known)
  }
  return labels
}

/** Prometheus adds two labels itself; all others must come from a metric of the expression. */
function isLabelOf(
  label: string,
  { metrics: named }: PromqlNames,
  metrics: ReadonlyMap<string, ReadonlySet<string>>,
): boolean {
  return ['namespace', 'instance'].includes(label) || named.some((metric) => metrics.get(metric)?.has(label))
}

/** As Grafana fills in a panel's variables. */
function filledIn(expr: string): string {
  return expr.replaceAll('$__rate_interval', '5m').replaceAll('$namespace', '.*')
}

function overlap(one: Panel['gridPos'], other: Panel['gridPos']): boolean {
  const isBeside = one.x + one.w <= other.x || other.x + other.w <= one.x
  const isAbove = one.y + one.h <= other.y || other.y + other.h <= one.y
  return !isBeside && !isAbove
}

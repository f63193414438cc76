import { expect } from 'chai'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { joinMetrics, primaryName } from '../../src/telemetry/worker-metrics.ts'

const samplesOf = (text: string, metric: string) =>
  text.split('\n').filter((line) => line.startsWith(`${metric}{`))

describe('telemetry/worker-metrics', () => {
  it('puts the samples of all processes under one head, each with its worker', async () => {
    const [one, other] = [createMetrics(() => true, 0, '1'), createMetrics(() => false, 0, '2')]
    one.checked('allow', undefined, 0.001)
    other.checked('allow', undefined, 0.001)
    const text = joinMetrics([await one.toText(), await other.toText()])
    expect(samplesOf(text, 'waywarden_checks_total')).to.deep.equal([
      'waywarden_checks_total{outcome="allow",code="",worker="1"} 1',
      'waywarden_checks_total{outcome="allow",code="",worker="2"} 1',
    ])
    expect(samplesOf(text, 'waywarden_ready')).to.deep.equal([
      'waywarden_ready{worker="1"} 1',
      'waywarden_ready{worker="2"} 0',
    ])
    const heads = text.split('\n').filter((line) => line.startsWith('# TYPE '))
    expect(new Set(heads).size).to.equal(heads.length)
  })

  it('lets the primary measure itself and its workers, and nothing that it does not do', async () => {
    const metrics = createMetrics(() => true, 0, primaryName)
    metrics.workerConnections(1, 3)
    metrics.workerConnections(2, 4)
    metrics.workerEnded(2)
    metrics.fault('admin')
    metrics.checked('allow', undefined, 0.001)
    const text = await metrics.toText()
    expect(samplesOf(text, 'waywarden_worker_connections')).to.deep.equal([
      'waywarden_worker_connections{worker="1"} 3',
      'waywarden_worker_connections{worker="2"} 4',
    ])
    expect(samplesOf(text, 'waywarden_worker_ends_total')).to.deep.equal([
      'waywarden_worker_ends_total{worker="1"} 0',
      'waywarden_worker_ends_total{worker="2"} 1',
    ])
    expect(samplesOf(text, 'waywarden_worker_connections_dropped_total')).to.deep.equal([
      'waywarden_worker_connections_dropped_total{why="no_worker",worker="primary"} 0',
      'waywarden_worker_connections_dropped_total{why="backlog",worker="primary"} 0',
    ])
    expect(samplesOf(text, 'waywarden_faults_total')).to.have.length(1)
    expect(samplesOf(text, 'process_cpu_seconds_total')).to.have.length(1)
    expect(text).to.not.match(/waywarden_(?:ready|checks|policies|policy|services|revocations)/)
  })
})

import { expect } from 'chai'
import { followedSources } from '../../src/base/model/event.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

describe('telemetry/metrics', () => {
  it('shows whether it is ready at the moment of the scrape', async () => {
    let isReady = true
    const metrics = createMetrics(() => isReady)
    expect(await metrics.toText()).to.contain('waywarden_ready 1')
    isReady = false
    expect(await metrics.toText()).to.contain('waywarden_ready 0')
  })

  it('shows until when refusals are only recorded', async () => {
    const name = 'waywarden_observing_until_timestamp_seconds'
    expect(await createMetrics(() => true, 1_801_353_600_000).toText()).to.contain(`${name} 1801353600`)
    expect(await createMetrics(() => true).toText()).to.contain(`${name} 0`)
  })

  it('has a series for each kind of reload before the first is refused', async () => {
    const text = await createMetrics(() => true).toText()
    for (const what of ['revision', ...followedSources]) {
      expect(text).to.contain(`waywarden_reloads_refused_total{what="${what}"} 0`)
    }
  })

  it('measures the process, its event loop included', async () => {
    const metrics = createMetrics(() => true)
    expect(await metrics.toText())
      .to.contain('nodejs_eventloop_lag_p99_seconds')
      .and.to.contain('process_cpu_seconds_total')
  })
})

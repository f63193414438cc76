import { expect } from 'chai'
import { createMetrics } from '../../src/observe/metrics.ts'

describe('observe/metrics', () => {
  it('shows whether it is ready at the moment of the scrape', async () => {
    let isReady = true
    const metrics = createMetrics(() => isReady)
    expect(await metrics.toText()).to.contain('waywarden_ready 1')
    isReady = false
    expect(await metrics.toText()).to.contain('waywarden_ready 0')
  })

  it('measures the process, its event loop included', async () => {
    const metrics = createMetrics(() => true)
    expect(await metrics.toText())
      .to.contain('nodejs_eventloop_lag_p99_seconds')
      .and.to.contain('process_cpu_seconds_total')
  })
})

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

describe('telemetry/logger', () => {
  const module = fileURLToPath(new URL('../../src/telemetry/logger.ts', import.meta.url))

  it('writes to stderr, leaves stdout to the audit, and loses nothing when the process exits', () => {
    const source = `
      import { createLogger } from ${JSON.stringify(module)}
      const logger = createLogger('info', () => {})
      for (let index = 0; index < 500; index++) logger.info({ index }, 'line')
      process.exit(0)`
    const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
      encoding: 'utf8',
    })
    expect(child.stdout).to.equal('')
    expect(child.stderr.trimEnd().split('\n')).to.have.length(500)
  })
})

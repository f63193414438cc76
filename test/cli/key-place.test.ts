import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expect } from 'chai'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

describe('cli/key-place', () => {
  const repository = async () => {
    const directory = temporaryDirectory()
    await writeFile(join(directory, 'services.yaml'), 'services: []')
    return directory
  }
  const inside: readonly {
    readonly name: string
    readonly path: (policies: string) => string | Promise<string>
  }[] = [
    { name: 'the repository itself', path: (policies) => policies },
    { name: 'a folder of it', path: (policies) => join(policies, 'keys') },
    { name: 'a folder of a folder', path: (policies) => join(policies, 'team/keys') },
    { name: 'a path with dots', path: (policies) => `${policies}/../${basename(policies)}/keys` },
    {
      name: 'a link into it',
      path: async (policies) => {
        const link = join(temporaryDirectory(), 'link')
        await symlink(policies, link)
        return join(link, 'keys')
      },
    },
  ]
  for (const { name, path } of inside) {
    it(`puts no key into a policy repository: ${name}`, async () => {
      const policies = await repository()
      const { code, err } = await run(['keys', 'init', await path(policies)])
      expect(code).to.equal(1)
      expect(err).to.match(/lies in the policy repository `.+`.* Name a directory outside of it/)
      expect(await readdir(policies)).to.deep.equal(['services.yaml'])
    })
  }

  it('takes what it cannot look at for the file of a policy repository', async () => {
    const directory = temporaryDirectory()
    await symlink('services.yaml', join(directory, 'services.yaml'))
    const { code, err } = await run(['keys', 'init', join(directory, 'keys')])
    expect(code).to.equal(1)
    expect(err).to.match(/lies in the policy repository/)
  })

  it('creates a key in a Git working tree, and says so', async () => {
    const directory = temporaryDirectory()
    await mkdir(join(directory, '.git'))
    const { code, err } = await run(['keys', 'init', join(directory, 'keys')])
    expect(code).to.equal(0)
    expect(err).to.match(/^note: .*lies in the Git working tree `.+`: add it to \.gitignore/)
  })
})

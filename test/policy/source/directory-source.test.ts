import { createHash } from 'node:crypto'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { readPolicyDirectory } from '../../../src/policy/source/directory-source.ts'
import { digestFiles, toPolicyFiles } from '../../../src/policy/source/policy-files.ts'

describe('policy/source/directory-source', () => {
  let directory = ''
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'waywarden-policies-'))
    await mkdir(join(directory, 'team'))
    await writeFile(join(directory, 'services.yaml'), 'services: []')
    await writeFile(join(directory, 'team/a.cedar'), 'permit (principal, action, resource);')
  })
  afterEach(() => rm(directory, { recursive: true }))

  async function write(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      await mkdir(dirname(join(directory, name)), { recursive: true })
      await writeFile(join(directory, name), '')
    }
  }

  it('reads what a policy repository is made of, and nothing else', async () => {
    await write(
      'README.md',
      '.gitignore',
      '.github/workflows/policies.yaml',
      '.git/x.cedar',
      'tests/README.md',
    )
    const read = await readPolicyDirectory(directory)
    expect('files' in read && [...read.files.keys()]).to.deep.equal(['services.yaml', 'team/a.cedar'])
  })

  it('refuses each file that looks as if it were read, by its name alone', async () => {
    const names = [
      'team/B.CEDAR',
      'team/b.cedar.bak',
      '.hidden/deep/b.cedar',
      '.b.cedar',
      'tests/b.cedar',
      'Tests/b.yaml',
    ]
    await write(...names, 'README.md', '.github/CODEOWNERS')
    const refused = await readPolicyDirectory(directory)
    expect('files' in refused ? [] : refused.problems.map(({ file }) => file)).to.have.members(names)
  })

  it('takes no folder for a file that is not there', async () => {
    await mkdir(join(directory, 'entities.json'))
    await write('team/b.cedar/README.md', 'tests/b.yaml/README.md')
    const refused = await readPolicyDirectory(directory)
    expect('files' in refused ? [] : refused.problems.map(({ file }) => file)).to.have.members([
      'entities.json',
      'team/b.cedar',
      'tests/b.yaml',
    ])
  })

  it("refuses a hidden policy in a mounted ConfigMap, and takes none of Kubernetes' own files for one", async () => {
    await write('..2026/.hidden/b.cedar', '..2026/a.cedar', '..2025/a.cedar')
    await symlink('..2026', join(directory, '..data'))
    await symlink('..data/a.cedar', join(directory, 'a.cedar'))
    expect(await readPolicyDirectory(directory)).to.have.property('files')
    await symlink('..data/.hidden', join(directory, '.hidden'))
    const refused = await readPolicyDirectory(directory)
    expect('files' in refused ? [] : refused.problems.map(({ file }) => file)).to.deep.equal([
      '.hidden/b.cedar',
    ])
  })

  it('follows the links of a mounted ConfigMap', async () => {
    await mkdir(join(directory, '..2026'))
    await writeFile(join(directory, '..2026/schema.cedarschema'), '')
    await symlink('..2026', join(directory, '..data'))
    await symlink('..data/schema.cedarschema', join(directory, 'schema.cedarschema'))
    const read = await readPolicyDirectory(directory)
    expect('files' in read && read.files.has('schema.cedarschema')).to.equal(true)
  })

  it('refuses a link in a directory that is no mount', async () => {
    await symlink('/etc/hostname', join(directory, 'team/b.cedar'))
    expect(await readPolicyDirectory(directory)).to.have.nested.property('problems[0].file', 'team/b.cedar')
  })

  it('follows the linked folders of a mount, and refuses them anywhere else', async () => {
    await mkdir(join(directory, '..2026/other'), { recursive: true })
    await writeFile(join(directory, '..2026/other/b.cedar'), 'forbid (principal, action, resource);')
    await symlink('..2026/other', join(directory, 'other'))
    expect(await readPolicyDirectory(directory)).to.have.nested.property('problems[0].file', 'other')
    await symlink('..2026', join(directory, '..data'))
    const read = await readPolicyDirectory(directory)
    expect('files' in read && read.files.has('other/b.cedar')).to.equal(true)
  })

  it('refuses a link that leads out of a mount, although it looks like one of the mount', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'waywarden-outside-'))
    await writeFile(join(outside, 'b.cedar'), 'secret')
    await symlink('.', join(directory, '..data'))
    await symlink(join(outside, 'b.cedar'), join(directory, 'b.cedar'))
    const read = await readPolicyDirectory(directory)
    await rm(outside, { recursive: true })
    expect(read).to.have.nested.property('problems[0].file', 'b.cedar')
    expect(JSON.stringify(read)).to.not.contain('secret')
  })

  it('reads one revision or the other, and never of both, while a link is turned again and again', async () => {
    const names = Array.from({ length: 4 }, (_, index) => `p${index}.cedar`)
    const link = join(directory, 'current')
    const turn = (round: number) => {
      // As git-sync does: the new checkout, the link in one step, then the old checkout goes.
      mkdirSync(join(directory, `.worktrees/${round}`), { recursive: true })
      for (const name of names) writeFileSync(join(directory, `.worktrees/${round}`, name), `// ${round}`)
      symlinkSync(`.worktrees/${round}`, join(directory, 'draft'))
      renameSync(join(directory, 'draft'), link)
      rmSync(join(directory, `.worktrees/${round - 1}`), { recursive: true, force: true })
    }
    let round = 0
    turn(round)
    const isRead = { whole: 0, refused: 0 }
    for (let reading = 0; reading < 20; reading++) {
      let turns = 0
      const timer = setInterval(() => {
        // Now and then often enough to outrun every attempt.
        if (turns++ < reading % 5) turn(++round)
      }, 1)
      const read = await readPolicyDirectory(link)
      clearInterval(timer)
      if (!('files' in read)) {
        expect(read.kind).to.equal('failed')
        expect(read).to.have.nested.property('problems[0].file', link)
        isRead.refused++
        continue
      }
      expect([...read.files.keys()]).to.deep.equal(names)
      expect(new Set(read.files.values()).size).to.equal(1)
      isRead.whole++
    }
    expect(isRead.whole).to.be.greaterThan(0)
  })

  it('refuses what is no UTF-8', async () => {
    await writeFile(join(directory, 'team/b.cedar'), Buffer.from([0xff, 0xfe]))
    expect(await readPolicyDirectory(directory)).to.have.nested.property('problems[0].file', 'team/b.cedar')
  })

  it('reads the tests beside the policies, and nothing else there; they have no part in the id', async () => {
    const before = await readPolicyDirectory(directory)
    await mkdir(join(directory, 'tests/records'), { recursive: true })
    for (const name of ['b.yaml', 'records/a.yml', 'notes.txt', '.gitkeep'])
      await writeFile(join(directory, 'tests', name), name)
    const after = await readPolicyDirectory(directory)
    if (!('files' in before && 'files' in after)) throw new TypeError('expected files')
    expect([after.id, after.files]).to.deep.equal([before.id, before.files])
    expect([...after.tests]).to.deep.equal([
      ['tests/b.yaml', 'b.yaml'],
      ['tests/records/a.yml', 'records/a.yml'],
    ])
  })

  it('refuses tests that it cannot read whole: they may be those that fail', async () => {
    await mkdir(join(directory, 'tests'))
    await symlink('/etc/hostname', join(directory, 'tests/a.yaml'))
    await writeFile(join(directory, 'tests/b.yaml'), 'x'.repeat(256 * 1024 + 1))
    const refused = await readPolicyDirectory(directory)
    expect('files' in refused ? [] : refused.problems.map(({ file }) => file)).to.deep.equal([
      'tests/a.yaml',
      'tests/b.yaml',
    ])
  })

  it('says so when there is no such directory', async () => {
    const read = await readPolicyDirectory(join(directory, 'missing'))
    expect(read).to.include({ kind: 'failed' }).and.have.nested.property('problems.length', 1)
    expect(read)
      .to.have.nested.property('problems[0].message')
      .that.matches(/cannot be read: there is no such file or directory \(ENOENT\)$/)
  })

  it('names a set of files by its content, whatever their order', () => {
    const id = (...files: [string, string][]) => toPolicyFiles(new Map(files)).id
    expect(id(['a', '1'], ['b', '2'])).to.equal(id(['b', '2'], ['a', '1']))
    expect(id(['a', '1'], ['b', '2'])).to.not.equal(id(['a', '1'], ['b', '3']))
    expect(id(['a', '12'])).to.not.equal(id(['a1', '2']))
  })

  it('names it by the beginning of its digest, which a shell can compute', () => {
    const files = new Map([
      ['b', 'é'],
      ['a', '1'],
    ])
    const digest = createHash('sha256').update('1:a1:11:b2:é').digest('hex')
    expect(digestFiles(files)).to.equal(digest)
    expect(toPolicyFiles(files).id).to.equal(digest.slice(0, 32))
  })
})

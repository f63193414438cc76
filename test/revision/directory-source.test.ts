import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { digestFiles, readPolicyDirectory, toPolicyFiles } from '../../src/revision/directory-source.ts'

describe('revision/directory-source', () => {
  let directory = ''
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'waywarden-policies-'))
    await mkdir(join(directory, 'team'))
    await writeFile(join(directory, 'services.yaml'), 'services: []')
    await writeFile(join(directory, 'team/a.cedar'), 'permit (principal, action, resource);')
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('reads what a policy repository is made of, and nothing else', async () => {
    await writeFile(join(directory, 'README.md'), 'hello')
    await writeFile(join(directory, '.hidden.cedar'), 'permit')
    await mkdir(join(directory, 'tests'))
    await writeFile(join(directory, 'tests/x.cedar'), 'permit')
    const read = await readPolicyDirectory(directory)
    expect('files' in read && [...read.files.keys()]).to.deep.equal(['services.yaml', 'team/a.cedar'])
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
    expect(await readPolicyDirectory(directory)).to.have.nested.property('[0].file', 'team/b.cedar')
  })

  it('follows the linked folders of a mount, and refuses them anywhere else', async () => {
    await mkdir(join(directory, '..2026/other'), { recursive: true })
    await writeFile(join(directory, '..2026/other/b.cedar'), 'forbid (principal, action, resource);')
    await symlink('..2026/other', join(directory, 'other'))
    expect(await readPolicyDirectory(directory)).to.have.nested.property('[0].file', 'other')
    await symlink('..2026', join(directory, '..data'))
    const read = await readPolicyDirectory(directory)
    expect('files' in read && read.files.has('other/b.cedar')).to.equal(true)
  })

  it('refuses what is no UTF-8', async () => {
    await writeFile(join(directory, 'team/b.cedar'), Buffer.from([0xff, 0xfe]))
    expect(await readPolicyDirectory(directory)).to.have.nested.property('[0].file', 'team/b.cedar')
  })

  it('reads the tests beside the policies, and nothing else there; they have no part in the id', async () => {
    const before = await readPolicyDirectory(directory)
    await mkdir(join(directory, 'tests/records'), { recursive: true })
    for (const name of ['b.yaml', 'records/a.yml', 'notes.txt', 'c.cedar', '.hidden.yaml'])
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
    expect('files' in refused ? [] : refused.map(({ file }) => file)).to.deep.equal([
      'tests/a.yaml',
      'tests/b.yaml',
    ])
  })

  it('says so when there is no such directory', async () => {
    expect(await readPolicyDirectory(join(directory, 'missing'))).to.have.length(1)
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

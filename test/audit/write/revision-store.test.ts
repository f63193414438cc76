import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { listRevisions, readRevision, storeRevision } from '../../../src/audit/write/revision-store.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const files = new Map([
  ['services.yaml', 'services: []\n'],
  ['team/a.cedar', 'permit (principal, action, resource);\n// \u2028 ünïcode'],
  ['__proto__', 'a name like any other'],
])

describe('audit/write/revision-store', () => {
  let directory: string
  beforeEach(() => {
    directory = join(temporaryDirectory(), 'audit')
  })

  it('gives back what was kept', async () => {
    await storeRevision(directory, 'abc123', files)
    expect(await readRevision(directory, 'abc123')).to.deep.equal(files)
    expect(readdirSync(join(directory, 'revisions'))).to.deep.equal(['abc123.json'])
  })

  it('lists what was kept, the latest first', async () => {
    expect(await listRevisions(directory)).to.deep.equal([])
    for (const [index, id] of ['abc123', 'def456'].entries()) {
      await storeRevision(directory, id, files)
      utimesSync(join(directory, 'revisions', `${id}.json`), index, index)
    }
    expect(await listRevisions(directory)).to.deep.equal(['def456', 'abc123'])
  })

  it('keeps a revision once', async () => {
    await storeRevision(directory, 'abc123', files)
    await storeRevision(directory, 'abc123', new Map([['other', '']]))
    expect(await readRevision(directory, 'abc123')).to.deep.equal(files)
  })

  it('keeps it whole when several do so at once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => storeRevision(directory, 'abc123', files)))
    expect(readdirSync(join(directory, 'revisions'))).to.deep.equal(['abc123.json'])
    expect(await readRevision(directory, 'abc123')).to.deep.equal(files)
  })

  for (const id of ['', '..', '../x', 'a/b', '.hidden', 'a\0b', 'x'.repeat(200)]) {
    it(`neither keeps nor reads a revision named ${JSON.stringify(id).slice(0, 20)}`, async () => {
      expect(isInvalid(await readRevision(directory, id))).to.equal(true)
      const error: unknown = await storeRevision(directory, id, files).catch((cause: unknown) => cause)
      expect(error).to.have.property('code', 'revision_not_kept')
    })
  }

  it('says when a revision was not kept, is damaged or is another', async () => {
    await storeRevision(directory, 'abc123', files)
    const text = readFileSync(join(directory, 'revisions', 'abc123.json'), 'utf8')
    writeFileSync(join(directory, 'revisions', 'damaged.json'), text.slice(0, 20))
    writeFileSync(join(directory, 'revisions', 'another.json'), text)
    for (const id of ['missing', 'damaged', 'another']) {
      expect(isInvalid(await readRevision(directory, id)), id).to.equal(true)
    }
  })

  it('refuses when it cannot be written, and leaves no draft', async () => {
    mkdirSync(directory)
    writeFileSync(join(directory, 'revisions'), '')
    const error: unknown = await storeRevision(directory, 'abc123', files).catch((cause: unknown) => cause)
    expect(error).to.have.property('code', 'revision_not_kept')
    expect(readdirSync(directory)).to.deep.equal(['revisions'])
  })
})

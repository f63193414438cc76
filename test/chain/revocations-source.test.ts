import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { openRevocations, type RevocationsSource } from '../../src/chain/revocations-source.ts'
import type { Event } from '../../src/model/event.ts'
import { good } from '../support/forge.ts'

const hourMs = 3_600_000

describe('chain/revocations-source', () => {
  let directory: string
  let path: string
  let events: Event[]
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'revocations-'))
    path = join(directory, 'revocations.json')
    events = []
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('follows the file', async () => {
    await writeFile(path, file('one'))
    await using source = await open()
    expect(txns(source)).to.deep.equal(['one'])
    await writeFile(path, file('one', 'two'))
    await source.refresh()
    expect(txns(source)).to.deep.equal(['one', 'two'])
  })

  it('follows the symbolic link that Kubernetes swaps', async () => {
    for (const name of ['v1', 'v2']) {
      await mkdir(join(directory, name))
      await writeFile(join(directory, name, 'revocations.json'), file(name))
    }
    await symlink('v1', join(directory, 'data'))
    await symlink(join('data', 'revocations.json'), path)
    await using source = await open()
    await symlink('v2', join(directory, 'data-new'))
    await rename(join(directory, 'data-new'), join(directory, 'data'))
    await source.refresh()
    expect(txns(source)).to.deep.equal(['v2'])
  })

  it('keeps what was last good, and says so once', async () => {
    await writeFile(path, file('one'))
    await using source = await open()
    await writeFile(path, '{"version":1,"entries":[')
    await source.refresh()
    await source.refresh()
    await rm(path)
    await source.refresh()
    await source.refresh()
    expect(txns(source)).to.deep.equal(['one'])
    expect(events.map(({ kind }) => kind)).to.deep.equal([
      'revocations_loaded',
      'revocations_refused',
      'revocations_refused',
    ])
  })

  it('looks by itself', async () => {
    await writeFile(path, file('one'))
    let onEvent: (event: Event) => void = () => undefined
    await using source = good(await openRevocations(path, (event) => onEvent(event), 5))
    const changed = new Promise<Event>((resolve) => {
      onEvent = resolve
    })
    await writeFile(`${path}.new`, file('one', 'two'))
    await rename(`${path}.new`, path)
    expect(await changed).to.deep.equal({ kind: 'revocations_loaded', entries: 2 })
    expect(txns(source)).to.deep.equal(['one', 'two'])
  })

  for (const [name, text] of [
    ['absent', undefined],
    ['broken', '[]'],
  ] as const) {
    it(`does not open a file that is ${name}`, async () => {
      if (text !== undefined) await writeFile(path, text)
      expect(await openRevocations(path, () => undefined, hourMs))
        .to.be.an('array')
        .with.lengthOf(1)
    })
  }

  async function open(): Promise<RevocationsSource> {
    return good(await openRevocations(path, (event) => events.push(event), hourMs))
  }
})

function file(...txns: readonly string[]): string {
  return JSON.stringify({ version: 1, entries: txns.map((txn) => ({ txn })) })
}

function txns(source: RevocationsSource): readonly string[] {
  return [...source.current.txn.keys()]
}

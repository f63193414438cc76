import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { readRevision, storeRevision } from '../../../src/audit/write/revision-store.ts'
import { readPolicyDirectory } from '../../../src/policy/source/directory-source.ts'
import { createDirectorySource } from '../../../src/policy/source/followed-directory.ts'
import type { PolicyFiles } from '../../../src/policy/source/policy-files.ts'
import type { Found, PolicySource } from '../../../src/policy/source/policy-source.ts'
import { errnos, type FailingCalls, failCallsUnder } from '../../support/failing-calls.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const permit = 'permit (principal, action, resource);\n'
const forbid = 'forbid (principal, action, resource);\n'

/** A change of a directory that is followed. */
type Change = {
  readonly name: string
  readonly prepare: (place: Place) => Promise<void> | void
  readonly change: (place: Place) => void
}

/** A policy directory, and where revisions are kept that served from it. */
type Place = { readonly policies: string; readonly audit: string; readonly served: PolicyFiles }

const changes: readonly Change[] = [
  {
    name: 'a forbid that is added',
    prepare: () => {},
    change: ({ policies }) => writeFileSync(join(policies, 'team/b.cedar'), forbid),
  },
  {
    name: 'a forbid that a mount brings',
    prepare({ policies }) {
      rmSync(policies, { recursive: true })
      mount(policies, 'first', { 'services.yaml': 'services: []\n', 'a.cedar': permit })
    },
    change: ({ policies }) =>
      mount(policies, 'second', { 'services.yaml': 'services: []\n', 'a.cedar': forbid }),
  },
  {
    name: 'a pin that is set',
    prepare({ policies }) {
      writeFileSync(join(policies, 'team/a.cedar'), `${permit}// worse\n`)
    },
    change: ({ policies, served }) => writeFileSync(join(policies, 'PIN'), `${served.id}\n`),
  },
  {
    name: 'a pin that is released',
    prepare({ policies, served }) {
      writeFileSync(join(policies, 'team/a.cedar'), `${permit}// mended\n`)
      writeFileSync(join(policies, 'PIN'), `${served.id}\n`)
    },
    change: ({ policies }) => rmSync(join(policies, 'PIN')),
  },
]

describe('policy/source/followed-directory', () => {
  let directory = ''
  let place: Place
  beforeEach(async () => {
    directory = temporaryDirectory()
    const policies = join(directory, 'policies')
    mkdirSync(join(policies, 'team'), { recursive: true })
    writeFileSync(join(policies, 'services.yaml'), 'services: []\n')
    writeFileSync(join(policies, 'team/a.cedar'), permit)
    const read = await readPolicyDirectory(policies)
    if ('problems' in read) throw new TypeError(JSON.stringify(read.problems))
    const audit = join(directory, 'audit')
    await storeRevision(audit, read.id, read.files)
    place = { policies, audit, served: read }
  })
  const open = () => createDirectorySource(place.policies, 3_600_000, (id) => readRevision(place.audit, id))

  for (const { name, prepare, change } of changes) {
    it(`finds ${name} at the next look, whichever system call fails`, async function () {
      this.timeout(60_000)
      await prepare(place)
      const before = await found(open())
      change(place)
      const wanted = await found(open())
      expect(wanted).to.not.deep.equal(before)
      using failing = failCallsUnder(directory)
      for (const code of errnos) {
        const calls = await countCalls(open(), failing)
        for (const at of calls.keys()) {
          const source = open()
          failing.arm(at + 1, code)
          const look = await source.look()
          // A call whose answer is asked for once more in the same look may fail without harm.
          if (look.kind === 'found') expect(toPlain(look), `${calls[at]} ${code}`).to.deep.equal(wanted)
          else {
            expect(look.kind, `${calls[at]} ${code}`).to.equal('failed')
            expect(JSON.stringify(look)).to.contain(code)
          }
          expect(await found(source)).to.deep.equal(wanted)
        }
      }
    })
  }

  it('takes a directory that is gone for a fault, with and without a pin', async () => {
    const source = open()
    renameSync(place.policies, `${place.policies}.away`)
    expect((await source.look()).kind).to.equal('failed')
    mkdirSync(place.policies)
    renameSync(`${place.policies}.away`, place.policies)
    expect((await source.look()).kind).to.equal('found')
  })

  for (const text of ['', ' \n\t', '\0'.repeat(4), 'f'.repeat(31), 'x'.repeat(2000)]) {
    it(`refuses a PIN of ${JSON.stringify(text).slice(0, 16)}, which is no release`, async () => {
      writeFileSync(join(place.policies, 'PIN'), text)
      expect((await open().look()).kind).to.equal('refused')
    })
  }

  it('takes no pin that is there but leads nowhere, or is no file, for none', async () => {
    const pin = join(place.policies, 'PIN')
    symlinkSync('nowhere', pin)
    expect((await open().look()).kind).to.equal('failed')
    rmSync(pin)
    mkdirSync(pin)
    expect((await open().look()).kind).to.equal('refused')
  })

  it('refuses a pin to what was never kept, and to what was changed since', async () => {
    writeFileSync(join(place.policies, 'PIN'), 'f'.repeat(32))
    expect(await open().look())
      .to.have.nested.property('problems[0].message')
      .that.contains('never served here')
    const kept = join(place.audit, 'revisions', `${place.served.id}.json`)
    writeFileSync(kept, readFileSync(kept, 'utf8').replace('permit', 'forbid'))
    writeFileSync(join(place.policies, 'PIN'), place.served.id)
    expect(await open().look())
      .to.have.nested.property('problems[0].message')
      .that.contains('was changed')
  })

  it('does not serve what was read while a pin came', async () => {
    const source = open()
    using failing = failCallsUnder(directory)
    failing.onceBefore(/services\.yaml/, () => writeFileSync(join(place.policies, 'PIN'), place.served.id))
    writeFileSync(join(place.policies, 'team/a.cedar'), forbid)
    expect(await source.look()).to.include({ pinned: place.served.id })
  })

  it('takes a mount of which it cannot read where it leads for a fault, not for links that somebody made', async () => {
    rmSync(place.policies, { recursive: true })
    mount(place.policies, 'first', { 'services.yaml': 'services: []\n' })
    using failing = failCallsUnder(directory)
    failing.failAll('EMFILE', /\.\.data$/)
    expect((await open().look()).kind).to.equal('failed')
  })

  it('sees all of a policy that is moved to a folder that was read already', async () => {
    mkdirSync(join(place.policies, 'a-team'))
    writeFileSync(join(place.policies, 'team/b.cedar'), forbid)
    const source = open()
    using failing = failCallsUnder(directory)
    failing.onceBefore(/readdir .*\/team$/, () =>
      renameSync(join(place.policies, 'team/b.cedar'), join(place.policies, 'a-team/b.cedar')),
    )
    expect((await found(source)).files).to.include.keys('a-team/b.cedar')
  })

  it('reads all of a file that grows after it was opened', async () => {
    const path = join(place.policies, 'team/b.cedar')
    writeFileSync(path, permit)
    using failing = failCallsUnder(directory)
    failing.onceBefore(/readFile .*b\.cedar/, () => writeFileSync(path, `${permit}${forbid}`))
    expect((await found(open())).files).to.have.property('team/b.cedar', `${permit}${forbid}`)
  })
})

async function found(source: PolicySource) {
  const look = await source.look()
  if (look.kind !== 'found') throw new TypeError(JSON.stringify(look))
  return toPlain(look)
}

function toPlain({ pinned, files }: Found) {
  return { pinned, id: files.id, files: Object.fromEntries(files.files) }
}

async function countCalls(source: PolicySource, failing: FailingCalls): Promise<readonly string[]> {
  failing.arm()
  await source.look()
  return failing.calls()
}

/** As a kubelet mounts files: links through `..data`, which is turned in one step. */
function mount(directory: string, version: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(directory, `..${version}`), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, `..${version}`, name), text)
  symlinkSync(`..${version}`, join(directory, '..data_tmp'))
  renameSync(join(directory, '..data_tmp'), join(directory, '..data'))
  for (const name of Object.keys(files)) {
    rmSync(join(directory, name), { force: true })
    symlinkSync(`..data/${name}`, join(directory, name))
  }
}

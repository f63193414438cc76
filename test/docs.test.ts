import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect } from 'chai'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { steps } from '../demo/steps.ts'
import { wings } from '../scripts/wings.ts'
import { lintRules } from '../src/authoring/lint-finding.ts'
import { runPolicyTests } from '../src/authoring/tests/policy-tests.ts'
import { unwrap } from '../src/base/document/schema.ts'
import { denyCodes } from '../src/base/model/decision.ts'
import { isProblems } from '../src/base/model/problems.ts'
import { parseConfig } from '../src/config/config.ts'
import { configWarnings } from '../src/config/remarks.ts'
import { userIssuerSchema } from '../src/config/user-issuer-schema.ts'
import { countRevocations, parseRevocations } from '../src/decision/chain/revocations.ts'
import { productSchema } from '../src/policy/cedar/product-schema.ts'
import { readPolicyDirectory } from '../src/policy/source/directory-source.ts'
import { toPolicyFiles } from '../src/policy/source/policy-files.ts'
import { anchorOf, type Document, type Fence, readDocument } from './support/document.ts'
import { pages } from './support/pages.ts'
import { hospitalRevision, mustLoad } from './support/policy-files.ts'

const page = (path: string): Document => pages.find((candidate) => candidate.path === path) ?? missing(path)
const readme = page('README.md')
const guide = page('docs/policy-guide.md')
const codes = page('docs/decision-codes.md')
const operations = page('docs/operations.md')

describe('docs', () => {
  it('decision-codes has one heading a code, in the order of the code, and no other', () => {
    const named = codes.headings.filter(({ level, text }) => level > 2 || text.includes('_'))
    expect(named.map(({ text }) => text)).to.deep.equal([...denyCodes])
    expect(named.map(({ text }) => anchorOf(text))).to.deep.equal([...denyCodes])
  })

  it('architecture draws the wings as the linter holds them, and says what each folder is for', () => {
    const text = readFileSync('docs/architecture.md', 'utf8')
    const drawn = Object.entries(wings)
      .filter(([, allowed]) => allowed.length > 0)
      .map(([wing, allowed]) => `    ${wing} -> ${allowed.join(', ')}`)
    expect(text).to.include(`${drawn.join('\n')}\n`)
    const folders = readdirSync('src', { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map(({ parentPath }) => parentPath.replaceAll('\\', '/'))
      .filter((folder) => folder !== 'src')
    const named = new Set([...text.matchAll(/`(src\/[a-z0-9/-]+)`/g)].map(([, folder]) => folder))
    expect([...new Set(folders)].filter((folder) => !named.has(folder))).to.deep.equal([])
  })

  it('decision-codes begins with the refusal that is not ours', () => {
    const [first] = codes.headings.filter(({ level }) => level === 2)
    expect(first?.text).to.match(/^403 with an empty body/)
  })

  for (const { path, links } of pages) {
    it(`${path}: every relative link leads to a file and a heading`, () => {
      expect(links.filter((link) => !link.startsWith('https:') && !leadsSomewhere(path, link))).to.deep.equal(
        [],
      )
    })
  }

  for (const { path, spans } of pages) {
    it(`${path}: every file that it names exists`, () => {
      const files = spans.filter((span) => /^(?:src|test|docs|demo|policies|envoy)\/[\w./-]+$/.test(span))
      expect(files.filter((file) => !existsSync(file))).to.deep.equal([])
    })
  }

  for (const { path, fences } of pages) {
    it(`${path}: every YAML and JSON block parses`, () => {
      const blocks = fences.filter(({ language }) => language === 'yaml' || language === 'json')
      const problems = blocks.flatMap(({ text }) => parseAllDocuments(text).flatMap(({ errors }) => errors))
      expect(problems.map(({ message }) => message)).to.deep.equal([])
    })
  }

  for (const { path, rows } of pages) {
    it(`${path}: no table cell is longer than 100 characters`, () => {
      const cells = rows
        .flat()
        .map((cell) => cell.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', ''))
      expect(cells.filter((cell) => cell.length > 100)).to.deep.equal([])
    })
  }
})

describe('docs: README', () => {
  it('links to every page of docs/', () => {
    const all = pages.map(({ path }) => path).filter((path) => /^docs\/[^/]+$/.test(path))
    expect(readme.links).to.include.members(all)
  })

  it('its waywarden.yaml can serve', () => {
    const [config, ...others] = readme.fences.filter(({ text }) => text.startsWith('version: '))
    expect(others).to.deep.equal([])
    const parsed = parseConfig('waywarden.yaml', config?.text ?? '', new Map())
    expect(isProblems(parsed) ? parsed.problems : []).to.deep.equal([])
  })

  it('its table tells the whole story, as it comes out', () => {
    const lines = readme.fences.flatMap(({ text }) => text.split('\n'))
    for (const { step, status, code = '', without } of steps) {
      const line = lines.find((candidate) => candidate.startsWith(`✓ ${step} `))
      expect(line, step).to.match(new RegExp(` ${status} ${code} +${without}$`))
    }
  })

  it('the policies that its table blames stand where it says', () => {
    const table = readme.fences.map(({ text }) => text).join('\n')
    const places = [...table.matchAll(/(policies\/[\w./-]+):(\d+)/g)]
    expect(places).to.not.have.length(0)
    for (const [place, file = '', line] of places) {
      const text = readFileSync(file, 'utf8').split('\n')[Number(line) - 1]
      expect(text, place).to.match(/^(?:@id|permit|forbid)/)
    }
  })
})

describe('docs: policy-guide', () => {
  const cedar = guide.fences.filter(({ language }) => language === 'cedar').map(toPolicyFile)
  const [vocabulary, ownSchema] = guide.fences.filter(({ language }) => language === 'cedarschema')

  it('its vocabulary is the one that we put before every schema', () => {
    const ours = productSchema([]).replace(/^type Params.*$/m, '')
    expect(withoutLayout(vocabulary?.text ?? '')).to.equal(withoutLayout(ours))
  })

  it('its patterns stand in policies/ as it shows them', () => {
    const patterns = cedar.filter(({ file }) => file.startsWith('policies/'))
    expect(patterns).to.have.length.above(2)
    for (const { file, text } of patterns) expect(readFileSync(file, 'utf8'), file).to.include(text)
  })

  it('its services, schema and policies load beside those of the hospital', async () => {
    const hospital = await readPolicyDirectory('policies')
    if (!('files' in hospital)) throw new TypeError('policies/ cannot be read')
    const files = new Map(hospital.files)
    const append = (name: string, text = '') => files.set(name, `${files.get(name) ?? ''}\n${text}`)
    const catalogs = guide.fences.filter(({ text }) => text.includes('\n    spiffeId:'))
    for (const { text } of catalogs) append('services.yaml', text.replace('services:\n', ''))
    append('schema.cedarschema', ownSchema?.text)
    const own = cedar.filter(({ file }) => !file.startsWith('policies/'))
    for (const { file, text } of own) append(file, text)
    const revision = mustLoad(toPolicyFiles(files))
    expect([...revision.catalog.byName.keys()]).to.include.members(['price-list', 'ledger'])
    expect(revision.policies.map(({ file }) => file)).to.include.members(own.map(({ file }) => file))
  })

  it('its tests pass', async () => {
    const tests = guide.fences.filter(({ language, text }) => language === 'yaml' && text.includes('tests:'))
    const files = new Map(tests.map(({ text }, index) => [`guide-${index}.yaml`, text]))
    const ran = runPolicyTests(files, await hospitalRevision())
    expect(ran).to.deep.include({ failed: 0 })
  })

  it('names every rule of lint', () => {
    const named = guide.rows.map(([name = '']) => name.replaceAll('`', ''))
    expect(named).to.include.members([...lintRules])
  })

  it('explains every key of its services.yaml', () => {
    const catalog = parse(guide.fences.find(({ language }) => language === 'yaml')?.text ?? '')
    const explained = guide.rows.map(([key = '']) => key.replaceAll('`', ''))
    expect(explained).to.include.members(Object.keys(catalog.services[0]))
  })
})

describe('docs: identity-providers', () => {
  const { fences, rows } = page('docs/identity-providers.md')

  for (const { text } of fences) {
    const [{ issuer }] = parse(text).users
    it(`its \`users\` for ${issuer} can serve, without a warning`, () => {
      const config = readme.fences.find(({ text: yaml }) => yaml.startsWith('version: '))?.text ?? ''
      const parsed = parseConfig('waywarden.yaml', stringify({ ...parse(config), ...parse(text) }), new Map())
      if (isProblems(parsed)) throw new TypeError(JSON.stringify(parsed.problems))
      expect(configWarnings(parsed)).to.deep.equal([])
    })
  }

  it('explains every key of `users`', () => {
    const explained = rows.map(([key = '']) => key.replaceAll('`', ''))
    expect(explained).to.include.members(Object.keys(unwrap(userIssuerSchema).entries ?? {}))
  })
})

describe('docs: operations', () => {
  it('its revocations are in force once loaded', () => {
    const [file] = operations.fences.filter(({ language }) => language === 'json')
    const revocations = parseRevocations(file?.text ?? '')
    expect('actor' in revocations && countRevocations(revocations)).to.equal(2)
  })

  it('its `observe` is taken by the configuration of the README', () => {
    const config = readme.fences.find(({ text }) => text.startsWith('version: '))
    const [observe] = operations.fences.filter(({ language }) => language === 'yaml')
    const parsed = parseConfig('waywarden.yaml', `${config?.text}${observe?.text}`, new Map())
    expect(isProblems(parsed) ? parsed.problems : parsed.observe?.services).to.deep.equal(['insurance'])
  })
})

function missing(path: string): never {
  throw new TypeError(`there is no ${path}`)
}

function leadsSomewhere(from: string, link: string): boolean {
  const [file = '', anchor] = link.split('#')
  const target = file === '' ? from : normalize(join(dirname(from), file))
  if (!existsSync(target)) return false
  if (anchor === undefined) return true
  return readDocument(target).headings.some(({ text }) => anchorOf(text) === anchor)
}

/** A Cedar snippet begins with a comment that says in which file it stands. */
function toPolicyFile({ text }: Fence): { readonly file: string; readonly text: string } {
  const [, file = '', body = ''] = /^\/\/ (\S+\.cedar)\n([\s\S]*)$/.exec(text) ?? []
  return { file, text: body }
}

function withoutLayout(schema: string): string {
  return schema.replace(/^\s*\/\/.*$/gm, '').replace(/\s+/g, '')
}

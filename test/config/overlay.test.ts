import { expect } from 'chai'
import { overlay } from '../../src/config/overlay.ts'
import { settingsSchema } from '../../src/config/schema.ts'

describe('config-overlay', () => {
  const set: readonly { readonly variable: string; readonly value: string; readonly want: unknown }[] = [
    {
      variable: 'WAYWARDEN__CHAIN__ISSUER',
      value: 'https://a.example',
      want: { chain: { issuer: 'https://a.example' } },
    },
    { variable: 'WAYWARDEN__chain__MaxDepth', value: '8', want: { chain: { maxDepth: 8 } } },
    { variable: 'WAYWARDEN__VERSION', value: '1', want: { version: 1 } },
    { variable: 'WAYWARDEN__AUDIT__STDOUT', value: 'true', want: { audit: { stdout: true } } },
    {
      variable: 'WAYWARDEN__POLICY__SHADOW__SAMPLE',
      value: '0.25',
      want: { policy: { shadow: { sample: 0.25 } } },
    },
    { variable: 'WAYWARDEN__AUDIT__STDOUT', value: 'yes', want: { audit: { stdout: 'yes' } } },
    {
      variable: 'WAYWARDEN__LISTENERS__0__TLS__CERT',
      value: '7',
      want: { listeners: [{ tls: { cert: '7' } }] },
    },
  ]
  for (const { variable, value, want } of set) {
    it(`sets ${JSON.stringify(want)} by ${variable}=${value}`, () => {
      const root = {}
      overlay(settingsSchema, root, new Map([[variable, value]]))
      expect(root).to.deep.equal(want)
    })
  }

  it('replaces a word by a list where either may stand', () => {
    const root = { users: [{ clients: 'any', audience: ['a'] }] }
    overlay(
      settingsSchema,
      root,
      new Map([
        ['WAYWARDEN__USERS__0__CLIENTS__0', 'ui'],
        ['WAYWARDEN__USERS__0__AUDIENCE', 'callee'],
      ]),
    )
    expect(root).to.deep.equal({ users: [{ clients: ['ui'], audience: 'callee' }] })
  })

  it('adds items in the order of their numbers', () => {
    const root = {}
    const names = Array.from(
      { length: 12 },
      (_, index) => [`WAYWARDEN__USERS__0__CLIENTS__${index}`, `c${index}`] as const,
    )
    const overlaid = overlay(settingsSchema, root, new Map(names.toReversed()))
    expect(root).to.deep.equal({ users: [{ clients: names.map(([, client]) => client) }] })
    expect(overlaid.every(({ kind }) => kind === 'set')).to.equal(true)
  })

  it('changes one item of a list and keeps the others', () => {
    const root = { users: [{ name: 'one' }, { name: 'two' }] }
    overlay(settingsSchema, root, new Map([['WAYWARDEN__USERS__1__NAME', 'three']]))
    expect(root).to.deep.equal({ users: [{ name: 'one' }, { name: 'three' }] })
  })

  const refused = [
    'WAYWARDEN__',
    'WAYWARDEN__CHIAN__ISSUER',
    'WAYWARDEN__CHAIN',
    'WAYWARDEN__CHAIN__ISSUER__MORE',
    'WAYWARDEN__USERS__1__NAME',
    'WAYWARDEN__USERS__FIRST__NAME',
    'WAYWARDEN____PROTO____X',
  ]
  for (const variable of refused) {
    it(`refuses ${variable} and changes nothing`, () => {
      const root = {}
      expect(overlay(settingsSchema, root, new Map([[variable, 'x']])).map(({ kind }) => kind)).to.deep.equal(
        ['refused'],
      )
      expect(JSON.stringify(root)).not.to.include('x')
    })
  }

  it('leaves a value of the wrong kind for the schema to refuse', () => {
    const root = { chain: 'none' }
    overlay(settingsSchema, root, new Map([['WAYWARDEN__CHAIN__ISSUER', 'https://a.example']]))
    expect(root).to.deep.equal({ chain: 'none' })
  })
})

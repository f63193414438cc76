import { expect } from 'chai'
import * as v from 'valibot'
import {
  duration,
  hintFor,
  httpsUrl,
  isLoopback,
  parseEndpoint,
  parseListenAddress,
  parseSizeBytes,
  size,
} from '../../src/config/values.ts'

describe('config-values', () => {
  const endpoints: readonly (readonly [text: string, want: unknown])[] = [
    ['127.0.0.1:9191', { address: '127.0.0.1', port: 9191 }],
    ['0.0.0.0:0', { address: '0.0.0.0', port: 0 }],
    ['[::1]:9191', { address: '::1', port: 9191 }],
    ['[0:0:0:0:0:0:0:1]:09191', { address: '::1', port: 9191 }],
    ['[::FFFF:127.0.0.1]:9191', { address: '127.0.0.1', port: 9191 }],
    ['[fe80::1%eth0]:9191', { address: 'fe80::1%eth0', port: 9191 }],
    ['::1:9191', undefined],
    ['[127.0.0.1]:9191', undefined],
    ['localhost:9191', undefined],
    ['127.0.0.1', undefined],
    [':9191', undefined],
    ['127.0.0.1:65536', undefined],
    ['127.1:9191', undefined],
  ]
  for (const [text, want] of endpoints) {
    it(`${want === undefined ? 'refuses' : 'reads'} the endpoint ${text}`, () => {
      const endpoint = parseEndpoint(text)
      expect('kind' in endpoint ? undefined : endpoint).to.deep.equal(want)
    })
  }

  const sockets: readonly (readonly [text: string, path: string | undefined])[] = [
    ['unix:///run/waywarden/ext-authz.sock', '/run/waywarden/ext-authz.sock'],
    [`unix:///${'a'.repeat(89)}`, `/${'a'.repeat(89)}`],
    [`unix:///${'a'.repeat(90)}`, undefined],
    ['unix:ext-authz.sock', undefined],
    ['unix:/run/ext-authz.sock', undefined],
    ['unix://run/ext-authz.sock', undefined],
    ['unix:///run//ext-authz.sock', undefined],
    ['unix:///run/', undefined],
    ['unix:///run/a b', undefined],
    ['unix:@abstract', undefined],
  ]
  for (const [text, path] of sockets) {
    it(`${path === undefined ? 'refuses' : 'reads'} the socket ${text}`, () => {
      const address = parseListenAddress(text)
      expect('path' in address ? address.path : undefined).to.equal(path)
    })
  }

  it('reads an endpoint where a socket might stand', () => {
    expect(parseListenAddress('127.0.0.1:9191')).to.deep.equal({ address: '127.0.0.1', port: 9191 })
  })

  const sizes: readonly (readonly [text: string, want: number | undefined])[] = [
    ['512B', 512],
    ['4KiB', 4096],
    ['64MiB', 67_108_864],
    ['1GiB', 1_073_741_824],
    ['4KB', undefined],
    ['4096', undefined],
    ['-4KiB', undefined],
  ]
  for (const [text, want] of sizes) {
    it(`${want === undefined ? 'refuses' : 'reads'} the size ${text}`, () => {
      const bytes = parseSizeBytes(text)
      expect(typeof bytes === 'number' ? bytes : undefined).to.equal(want)
    })
  }

  const bounded: readonly (readonly [text: unknown, isDuration: boolean])[] = [
    ['1s', true],
    ['90s', true],
    ['1h', true],
    ['999ms', false],
    ['61m', false],
    ['60', false],
    [60, false],
    ['1 h', false],
  ]
  for (const [text, isDuration] of bounded) {
    it(`${isDuration ? 'takes' : 'refuses'} ${JSON.stringify(text)} for a duration from 1s to 1h`, () => {
      expect(v.safeParse(duration('1s', '1h'), text).success).to.equal(isDuration)
    })
  }

  it('holds a size to its bounds', () => {
    expect(
      ['1KiB', '2KiB', '3KiB'].map((text) => v.safeParse(size('2KiB', '2KiB'), text).success),
    ).to.deep.equal([false, true, false])
  })

  const urls: readonly (readonly [url: string, isIssuer: boolean])[] = [
    ['https://idp.hospital.example/realms/hospital', true],
    ['https://idp.hospital.example:8443', true],
    ['http://idp.hospital.example', false],
    ['https://idp.hospital.example?realm=1', false],
    ['https://idp.hospital.example#realm', false],
    ['https://user@idp.hospital.example', false],
    ['https://', false],
    ['idp.hospital.example', false],
  ]
  for (const [url, isIssuer] of urls) {
    it(`${isIssuer ? 'takes' : 'refuses'} ${url} for an issuer`, () => {
      expect(v.safeParse(httpsUrl, url).success).to.equal(isIssuer)
    })
  }

  it('knows loopback addresses', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1'].every(isLoopback)).to.equal(true)
    expect(['0.0.0.0', '::', '10.0.0.1', '::ffff:127.0.0.1'].some(isLoopback)).to.equal(false)
  })

  it('hints at the closest name, or at all of them', () => {
    expect(hintFor('isuer', ['issuer', 'keys'])).to.include('`issuer`')
    expect(hintFor('enforce', ['issuer', 'keys'])).to.include('issuer, keys')
    expect(hintFor('x'.repeat(100_000), ['issuer'])).to.include('issuer')
  })
})

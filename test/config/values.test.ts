import { expect } from 'chai'
import * as v from 'valibot'
import { filePath, httpsUrl, parseEndpoint, parseListenAddress } from '../../src/config/values.ts'

describe('config/values', () => {
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

  const paths: readonly (readonly [path: string, says: RegExp | undefined])[] = [
    ['./keys', undefined],
    ['/etc/waywarden/keys', undefined],
    ['keys:old', undefined],
    ['C:\\keys', undefined],
    [
      'https://idp.hospital.example/certs',
      /found the URL `https:\/\/idp.hospital.example\/certs`; name a file/,
    ],
    ['HTTPS://me:secret@idp.example/certs?key=7', /found the URL `HTTPS:\/\/…`/],
    ['ssh://git@host/policies.git', /URL/],
    ['file:///srv/keys', /write `\/srv\/keys`/],
    ['', /length/],
  ]
  for (const [path, says] of paths) {
    it(`${says === undefined ? 'takes' : 'refuses'} \`${path}\` for a path`, () => {
      const [issue] = v.safeParse(filePath(), path).issues ?? []
      if (says === undefined) expect(issue).to.equal(undefined)
      else
        expect(issue?.message)
          .to.match(says)
          .and.not.match(/secret|key=7/)
    })
  }
})

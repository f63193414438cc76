import { expect } from 'chai'
import type { UserIssuer } from '../../src/config/settings.ts'
import { isEntra, toUserIssuer } from '../../src/config/user-issuer.ts'

const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47'
const user: UserIssuer = {
  name: 'hospital',
  issuer: 'https://idp.hospital.example/realms/hospital',
  audience: 'hospital-agents',
  jwks: 'idp.json',
  id: 'sub',
  groups: 'groups',
  groupsAbsent: 'refuse',
  groupsAllow: [],
  clients: [],
}

describe('config/user-issuer', () => {
  const issuers: readonly { readonly issuer: string; readonly want: boolean }[] = [
    { issuer: `https://login.microsoftonline.com/${tenant}/v2.0`, want: true },
    { issuer: `https://LOGIN.microsoftonline.com/${tenant}/v2.0`, want: true },
    { issuer: `https://sts.windows.net/${tenant}/`, want: true },
    { issuer: `https://login.microsoftonline.us/${tenant}/v2.0`, want: true },
    { issuer: `https://login.partner.microsoftonline.cn/${tenant}/v2.0`, want: true },
    { issuer: `https://login.chinacloudapi.cn/${tenant}/v2.0`, want: true },
    { issuer: `https://sts.chinacloudapi.cn/${tenant}/`, want: true },
    { issuer: user.issuer, want: false },
    { issuer: `https://login.microsoftonline.com.evil.example/${tenant}/v2.0`, want: false },
    { issuer: `https://evil-sts.windows.net/${tenant}/`, want: false },
    { issuer: `https://evil.example/login.microsoftonline.com/${tenant}/v2.0`, want: false },
    { issuer: `https://hospital.b2clogin.com/${tenant}/v2.0/`, want: false },
    { issuer: 'no URL', want: false },
  ]
  for (const { issuer, want } of issuers) {
    it(`${want ? 'takes' : 'does not take'} ${issuer} for Entra`, () =>
      expect(isEntra(issuer)).to.equal(want))

    it(`asks tokens of ${issuer} ${want ? 'for `scp`' : 'for nothing'} unless told otherwise`, () => {
      const at = (path: string) => `/etc/${path}`
      expect(toUserIssuer({ ...user, issuer }, at)).to.deep.include({
        userClaim: want ? 'scp' : undefined,
        keySource: { kind: 'file', path: '/etc/idp.json', key: 'jwks' },
      })
      expect(toUserIssuer({ ...user, issuer, userClaim: 'sid' }, at)).to.include({ userClaim: 'sid' })
    })
  }
})

import { expect } from 'chai'
import {
  isIssuerOf,
  type ProviderName,
  providerNames,
  providerOf,
  rulesOf,
} from '../../../src/base/providers/provider-rules.ts'

const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47'

describe('base/providers/provider-rules', () => {
  const issuers: readonly (readonly [issuer: string, want: ProviderName])[] = [
    [`https://login.microsoftonline.com/${tenant}/v2.0`, 'entra'],
    [`https://LOGIN.microsoftonline.com/${tenant}/v2.0`, 'entra'],
    [`https://sts.windows.net/${tenant}/`, 'entra'],
    [`https://login.microsoftonline.us/${tenant}/v2.0`, 'entra'],
    [`https://login.partner.microsoftonline.cn/${tenant}/v2.0`, 'entra'],
    [`https://login.chinacloudapi.cn/${tenant}/v2.0`, 'entra'],
    [`https://sts.chinacloudapi.cn/${tenant}/`, 'entra'],
    [`https://login.microsoftonline.com.evil.example/${tenant}/v2.0`, 'generic'],
    [`https://evil-sts.windows.net/${tenant}/`, 'generic'],
    [`https://evil.example/login.microsoftonline.com/${tenant}/v2.0`, 'generic'],
    [`https://hospital.b2clogin.com/${tenant}/v2.0/`, 'generic'],
    ['https://idp.hospital.example/realms/hospital', 'keycloak'],
    ['https://idp.hospital.example/auth/realms/hospital', 'keycloak'],
    ['https://idp.hospital.example/realms/a/b', 'generic'],
    ['https://hospital.okta.com/oauth2/default', 'okta'],
    ['https://hospital.oktapreview.com/oauth2/default', 'okta'],
    ['https://hospital.evilokta.com/oauth2/default', 'generic'],
    ['https://hospital.eu.auth0.com/', 'auth0'],
    ['https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_x', 'cognito'],
    ['https://cognito-idp.eu-central-1.amazonaws.com.evil.example/x', 'generic'],
    ['no URL', 'generic'],
  ]
  for (const [issuer, want] of issuers)
    it(`takes ${issuer} for one of ${want}`, () => expect(providerOf(issuer)).to.equal(want))

  for (const name of providerNames) {
    it(`gives ${name} an example that has its form`, () => {
      const example = rulesOf(name).issuer.example.replace(/<[^>]*>/, tenant)
      expect(isIssuerOf(name, example)).to.equal(true)
      expect(providerOf(example)).to.equal(name)
    })
  }

  it('takes no text for an issuer', () => expect(isIssuerOf('generic', 'no URL')).to.equal(false))
})

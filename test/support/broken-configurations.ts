import { cpSync, readFileSync } from 'node:fs'
import { appendFile, chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createCa } from '../../demo/ca.ts'

/** A configuration that something is wrong with, and what both commands must say of it. */
export type BrokenConfiguration = {
  readonly name: string
  /** Changes the text of waywarden.yaml. */
  readonly edit?: (text: string) => string
  /** Changes the files that it names. */
  readonly spoil?: (directory: string) => unknown
  readonly problems?: readonly RegExp[]
  readonly notices?: readonly RegExp[]
}

const write = (name: string, text: string) => (directory: string) => writeFile(join(directory, name), text)
const remove = (name: string) => (directory: string) => rm(join(directory, name), { recursive: true })
const without = (key: RegExp, by: string) => (text: string) => {
  const edited = text.replace(key, by)
  if (edited === text) throw new TypeError(`the settings have no ${key}`)
  return edited
}
/** The settings with TLS on their listener. */
export const withTls = (text: string): string =>
  text.replace('peer: xfcc', 'peer: xfcc, tls: {cert: tls.crt, key: tls.key, clientCa: ca.crt}')

/** Writes a certificate, its key and the CA of a trust domain. */
export function issue(directory: string, caDomain = 'hospital.example'): void {
  const ca = createCa(join(directory, 'made'), caDomain, [`spiffe://${caDomain}`])
  const { chain, key } = ca.issue('tls', ['spiffe://hospital.example/ns/waywarden/sa/waywarden'])
  for (const [from, to] of [
    [chain, 'tls.crt'],
    [key, 'tls.key'],
    [ca.trustedCa, 'ca.crt'],
  ] as const)
    cpSync(from, join(directory, to))
}

/** Each of what can be wrong with a configuration or with a file that it names. */
export const brokenConfigurations: readonly BrokenConfiguration[] = [
  { name: 'nothing' },
  { name: 'no signing key', spoil: remove('keys/active.jwk.json'), problems: [/active\.jwk\.json/] },
  {
    name: 'a signing key that is none',
    spoil: write('keys/active.jwk.json', '{}'),
    problems: [/active\.jwk\.json/],
  },
  { name: 'a next key that is none', spoil: write('keys/next.jwk.json', '{'), problems: [/next\.jwk\.json/] },
  { name: 'no keys of the identity provider', spoil: remove('idp-jwks.json'), problems: [/idp-jwks\.json/] },
  {
    name: 'private keys of the identity provider',
    spoil: (directory) =>
      writeFile(
        join(directory, 'idp-jwks.json'),
        `{"keys":[${readFileSync(join(directory, 'keys/active.jwk.json'), 'utf8')}]}`,
      ),
    problems: [/idp-jwks\.json/],
  },
  { name: 'no revocations', spoil: remove('revocations.json'), problems: [/revocations\.json/] },
  {
    name: 'revocations with a mistake',
    spoil: write('revocations.json', '{"version": 1}'),
    problems: [/revocations\.json/],
  },
  {
    name: 'several of these at once',
    spoil: async (directory) => {
      await remove('keys/active.jwk.json')(directory)
      await remove('idp-jwks.json')(directory)
      await remove('revocations.json')(directory)
    },
    problems: [/active\.jwk\.json/, /idp-jwks\.json/, /revocations\.json/],
  },
  { name: 'no policies', spoil: remove('policies'), problems: [/no policy revision serves/, /policies/] },
  {
    name: 'a policy that does not parse',
    spoil: write('policies/billing-team/x.cedar', 'permit ('),
    problems: [/no policy revision serves/, /billing-team\/x\.cedar:1/],
  },
  {
    name: 'a test that fails',
    spoil: async (directory) => {
      await mkdir(join(directory, 'policies/tests'), { recursive: true })
      await writeFile(
        join(directory, 'policies/tests/a.yaml'),
        'tests: [{name: x, caller: ingress, chain: none, request: {service: insurance, method: GET, path: /}, expect: {decision: allow}}]\n',
      )
    },
    problems: [/no policy revision serves/, /tests\/a\.yaml:1: test `x`/],
  },
  {
    name: 'another trust domain than all of the catalog',
    edit: without(/hospital\.example(?=, keys|\/ns\/istio-ingress)/g, 'cluster.local'),
    problems: [/nothing can be allowed: `chain\.trustDomain` is `cluster\.local`/],
  },
  {
    name: 'another trust domain of one waypoint',
    spoil: async (directory) => {
      const file = join(directory, 'policies/services.yaml')
      const text = await readFile(file, 'utf8')
      await writeFile(
        file,
        text.replace('waypoint: spiffe://hospital.example', 'waypoint: spiffe://hospitl.example'),
      )
    },
    problems: [/no policy revision serves/, /service `billing-agent`: .* its waypoint of `hospitl\.example`/],
  },
  {
    name: 'a policy that names another trust domain',
    spoil: (directory) =>
      appendFile(
        join(directory, 'policies/billing-team/billing-agent.cedar'),
        '@id("foreign") forbid (principal == Agent::"spiffe://hospitl.example/ns/a/sa/b", action, resource);\n',
      ),
    notices: [/billing-agent\.cedar:\d+: policy `.*#foreign` names the trust domain `hospitl\.example`/],
  },
  {
    name: 'a policy that names a group of no token',
    spoil: (directory) =>
      appendFile(
        join(directory, 'policies/billing-team/billing-agent.cedar'),
        '@id("unlisted") forbid (principal in Group::"hospital/biling", action, resource);\n',
      ),
    notices: [/`groupsAllow` of `hospital` lacks `biling`.*did you mean `billing`/],
  },
  {
    name: 'a service to observe that the catalog lacks',
    edit: (text) => `${text}observe: {until: 2999-01-01, services: [insurence]}\n`,
    notices: [
      /NOT ENFORCED until 2999-01-01.*more than a year/,
      /no service `insurence`; did you mean `insurance`/,
    ],
  },
  {
    name: 'a day of observing that is over',
    edit: (text) => `${text}observe: {until: 2020-01-01}\n`,
    notices: [/observing ended on 2020-01-01/],
  },
  {
    name: 'an audit directory that is a file',
    spoil: write('audit', ''),
    problems: [/`audit\.directory`.*is a file/],
  },
  {
    name: 'a pseudonym secret that is too short',
    edit: without(/audit: \{directory: \.\/audit/, 'audit: {directory: ./audit, pseudonyms: ./secret'),
    spoil: write('secret', 'short'),
    problems: [/`audit\.pseudonyms`/],
  },
  {
    name: 'a log key that is none',
    edit: without(/audit: \{directory: \.\/audit/, 'audit: {directory: ./audit, key: ./log-key'),
    spoil: write('log-key', 'no key'),
    problems: [/`audit\.key`: .*log-key: expected a private key/],
  },
  { name: 'certificates that are good', edit: withTls, spoil: issue },
  {
    name: 'no certificate',
    edit: withTls,
    spoil: (directory) => {
      issue(directory)
      return remove('tls.crt')(directory)
    },
    problems: [/`listeners\.0\.tls\.cert`: .*tls\.crt: cannot be read: there is no such file/],
  },
  {
    name: 'a certificate that is none',
    edit: withTls,
    spoil: async (directory) => {
      issue(directory)
      await write('tls.crt', 'none')(directory)
    },
    problems: [/`listeners\.0\.tls`: .*expected a certificate and its key/],
  },
  {
    name: 'a client CA of another trust domain',
    edit: withTls,
    spoil: (directory) => issue(directory, 'partner.example'),
    problems: [/`listeners\.0\.tls\.clientCa`.*`partner\.example`.*never merge/],
  },
  {
    name: 'an empty client CA',
    edit: withTls,
    spoil: async (directory) => {
      issue(directory)
      await write('ca.crt', '')(directory)
    },
    problems: [/clientCa.*found none/],
  },
  {
    name: "a trace header's file that is missing",
    edit: (text) =>
      `${text}tracing: {endpoints: [{url: 'http://127.0.0.1:1', headers: [{name: authorization, file: ./absent}]}]}\n`,
    problems: [/`tracing`.*absent/],
  },
  {
    name: 'a signing key that everybody may read',
    spoil: async (directory) => {
      await chmod(dirname(directory), 0o755)
      await chmod(directory, 0o755)
      await chmod(join(directory, 'keys'), 0o755)
      await chmod(join(directory, 'keys/active.jwk.json'), 0o644)
    },
    notices: [/`chain\.keys`: every user of this machine can read .*active\.jwk\.json \(mode 0644\)/],
  },
  {
    name: 'tests that are ignored',
    edit: without(/policy: \{directory: \.\/policies/, 'policy: {tests: ignored, directory: ./policies'),
    notices: [/policy\.tests: ignored/],
  },
]

import * as v from 'valibot'
import type { SchemaNode } from '../base/document/schema.ts'
import { about, checked, choice, duration, flag, list, someOf, text } from '../base/document/values.ts'
import { invalid } from '../base/model/invalid.ts'
import { providerNames } from '../base/providers/provider-rules.ts'
import { show } from '../base/text/show.ts'
import { keySourceDefaults } from './key-source.ts'
import type { UserIssuer } from './settings.ts'
import { filePath, httpsOrigin, httpsUrl, userName } from './values.ts'

/** The name of a claim, or a JSON Pointer (RFC 6901), which begins with a slash. */
const claimPath = checked((input) =>
  !input.startsWith('/') || /^(?:\/(?:[^~/]|~[01])+)+$/.test(input)
    ? undefined
    : invalid(
        `expected the name of a claim or a JSON Pointer such as \`/realm_access/roles\`, found ${show(input)}`,
      ),
)

const keys = v.strictObject({
  file: about(v.optional(filePath()), 'file with its public keys, as `jwks` names it'),
  url: about(v.optional(httpsUrl), 'https URL of its JWK Set, which is fetched while Waywarden runs'),
  discovery: about(
    v.optional(flag),
    'find that URL in `/.well-known/openid-configuration` of `issuer`; `url` overrides it',
  ),
  origins: about(
    v.optional(list(httpsOrigin)),
    'https origins beside that of `issuer` at which the discovered URL may be; known ones need no entry',
  ),
  ca: about(
    v.optional(filePath()),
    'PEM file of the CAs that vouch for that server; those of Node.js when left out',
  ),
  every: about(
    v.optional(duration('10s', '24h')),
    `time between two fetches, ${keySourceDefaults.every} when left out; a key that the provider withdraws is believed for as long`,
  ),
  cooldown: about(
    v.optional(duration('1s', '10m', '10s')),
    `time between two fetches for keys that nobody knows, ${keySourceDefaults.cooldown} when left out; the first three may follow each other`,
  ),
  keep: about(
    v.optional(filePath()),
    'file in which the last good set is kept, for a start while the provider is down',
  ),
  seed: about(
    v.optional(filePath()),
    'file with a first set, for a start while the provider is down and nothing is kept; as old as its time stamp',
  ),
  maxStaleness: about(
    v.optional(duration('1m', '720h', '24h')),
    `how old a set may be, ${keySourceDefaults.maxStaleness} when left out; an older one is believed no more`,
  ),
})

const userIssuer = v.strictObject({
  name: about(userName, 'short name of the identity provider, used in policies as User::"<name>/<id>"'),
  issuer: about(httpsUrl, 'https URL: the `iss` of its access tokens'),
  provider: about(
    v.optional(choice(...providerNames)),
    'which provider it is, for the rules of its tokens; recognized by `issuer` when left out',
  ),
  audience: about(
    v.optional(v.union([text, someOf(text, 'a list of at least one audience')])),
    'required `aud` of its access tokens, or a list; `callee`: the SPIFFE ID of the called service; only Cognito may lack it',
  ),
  jwks: about(
    v.optional(filePath((url) => `write \`keys: {url: '${url}'}\`, and the keys are fetched`)),
    'file with its public keys; the same as `keys: {file: …}`',
  ),
  keys: about(v.optional(keys), 'where its public keys are: a file, or a URL that is followed'),
  id: about(v.optional(text, 'sub'), 'claim that identifies the user'),
  userClaim: about(
    v.optional(text),
    "claim that only a user's token has, never a client's own; `sid` for Keycloak when left out, required for `generic`",
  ),
  groups: about(
    v.optional(claimPath),
    'claim that lists the groups of the user, or a JSON Pointer such as `/realm_access/roles`',
  ),
  groupsAbsent: about(
    v.optional(choice('refuse', 'none'), 'refuse'),
    'how to read a token without that claim: refuse it, or none: the user is in no group (Keycloak omits an empty list)',
  ),
  groupsAllow: about(v.optional(list(text), []), 'groups that a chain may contain; others are dropped'),
  clients: about(
    v.union([v.literal('any'), someOf(text, 'a list of at least one client, or `any`')]),
    "clients whose tokens count, or `any`: then an exchanged token cannot be told from the user's own",
  ),
})

/** An entry of `users`. */
export const userIssuerSchema: v.GenericSchema<unknown, UserIssuer> & SchemaNode = userIssuer

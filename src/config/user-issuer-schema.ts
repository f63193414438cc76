import * as v from 'valibot'
import type { SchemaNode } from '../base/document/schema.ts'
import { about, choice, list, text } from '../base/document/values.ts'
import type { UserIssuer } from './settings.ts'
import { filePath, httpsUrl, userName } from './values.ts'

const userIssuer = v.strictObject({
  name: about(userName, 'short name of the identity provider, used in policies as User::"<name>/<id>"'),
  issuer: about(httpsUrl, 'https URL: the `iss` of its access tokens'),
  audience: about(
    text,
    'required `aud` of its access tokens; without one, tokens for other services would be accepted',
  ),
  jwks: about(
    filePath((url) => `fetch it, \`curl -fsS '${url}' -o idp-jwks.json\`, and write \`jwks: idp-jwks.json\``),
    'file with its public keys',
  ),
  id: about(v.optional(text, 'sub'), 'claim that identifies the user'),
  userClaim: about(
    v.optional(text),
    "claim that only a user's token has, never a client's own: `sid` (Keycloak), `uid` (Okta); `scp` for Entra when left out",
  ),
  groups: about(v.optional(text, 'groups'), 'claim that lists the groups of the user'),
  groupsAbsent: about(
    v.optional(choice('refuse', 'none'), 'refuse'),
    'how to read a token without that claim: refuse it, or none: the user is in no group (Keycloak omits an empty list)',
  ),
  groupsAllow: about(v.optional(list(text), []), 'groups that a chain may contain; others are dropped'),
  clients: about(
    v.optional(list(text), []),
    'accepted clients (`azp`, `client_id`, `cid` or `appid`); empty accepts any',
  ),
})

/** An entry of `users`. */
export const userIssuerSchema: v.GenericSchema<unknown, UserIssuer> & SchemaNode = userIssuer

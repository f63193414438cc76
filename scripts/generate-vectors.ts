import { chainClaimVectors } from './vectors/chain-claims.ts'
import { chainForgeryVectors } from './vectors/chain-forgeries.ts'
import { chainShapeVectors } from './vectors/chain-shapes.ts'
import { clientTokenVectors } from './vectors/client-tokens.ts'
import { configuredTokenVectors } from './vectors/configured-tokens.ts'
import { genuineTokenVectors } from './vectors/genuine-tokens.ts'
import { identityVectors } from './vectors/identities.ts'
import { keycloakAnswerVectors } from './vectors/keycloak-answers.ts'
import { providerKeyVectors } from './vectors/provider-keys.ts'
import { providerTokenVectors } from './vectors/provider-tokens.ts'
import { tokenValueVectors } from './vectors/token-values.ts'
import { userTokenVectors } from './vectors/user-tokens.ts'

/** The files of test/vectors by path from the project's root, the same each time. */
export function generateVectors(): ReadonlyMap<string, string> {
  const vectors = [
    ...chainClaimVectors(),
    ...chainShapeVectors(),
    ...chainForgeryVectors(),
    ...identityVectors(),
    ...userTokenVectors(),
    ...clientTokenVectors(),
    ...providerTokenVectors(),
    ...configuredTokenVectors(),
    ...keycloakAnswerVectors(),
    ...genuineTokenVectors(),
    ...tokenValueVectors(),
    ...providerKeyVectors(),
  ]
  const files = new Map<string, string>()
  for (const vector of vectors) {
    const path = `test/vectors/${vector.name.toLowerCase()}.json`
    if (files.has(path)) throw new RangeError(`two vectors are named \`${vector.name}\``)
    files.set(path, `${JSON.stringify(vector, undefined, 2)}\n`)
  }
  return files
}

import type { Config } from './config.ts'
import { entraUserClaim } from './user-issuer.ts'

/**
 * A fact about a valid configuration. A warning is a weakness, so `/readyz` repeats it. A note names a condition outside
 * of Waywarden.
 */
export type Remark = { readonly kind: 'warning' | 'note'; readonly text: string }

/** Claims whose value the provider or the user can change, so that it may later name another person. */
const changeable: ReadonlySet<string> = new Set([
  'preferred_username',
  'upn',
  'unique_name',
  'email',
  'phone_number',
  'name',
  'nickname',
])

/** Returns all remarks on a configuration, in the order of its entries. */
export function remarksOn({ users }: Config): readonly Remark[] {
  return users.flatMap(userRemarks)
}

/** Returns only the warnings. */
export function configWarnings(config: Config): readonly string[] {
  return remarksOn(config).flatMap(({ kind, text }) => (kind === 'warning' ? [text] : []))
}

function userRemarks({ name, id, audience, clients, userClaim }: Config['users'][number]): readonly Remark[] {
  const remarks: Remark[] = []
  const say = (kind: Remark['kind'], text: string) =>
    remarks.push({ kind, text: `users \`${name}\`: ${text}` })
  if (userClaim === undefined)
    say(
      'warning',
      "no claim proves that a user took part, so a client's own token might begin a chain as a user; set `userClaim` to a claim that only a user's token has, such as `sid` for Keycloak",
    )
  else if (userClaim !== entraUserClaim)
    say(
      'note',
      `these clients must have service accounts (the client credentials grant) off at the provider: ${clients.map((client) => `\`${client}\``).join(', ')}`,
    )
  if (changeable.has(id))
    say(
      'warning',
      `\`id: ${id}\` can change, and come to mean another person; prefer \`sub\`, or \`oid\` for Entra`,
    )
  if (clients.includes(audience))
    say(
      'warning',
      `\`audience: ${audience}\` is also one of \`clients\`, whose ID tokens name it, too; give the agents an audience of their own`,
    )
  return remarks
}

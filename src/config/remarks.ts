import { rulesOf } from '../base/providers/provider-rules.ts'
import type { Config } from './config.ts'

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

function userRemarks(user: Config['users'][number]): readonly Remark[] {
  const { name, id, audience, clients, provider } = user
  const { isEvidenceItsOwn } = rulesOf(provider)
  const remarks: Remark[] = []
  const say = (kind: Remark['kind'], text: string) =>
    remarks.push({ kind, text: `users \`${name}\`: ${text}` })
  if (clients === 'any')
    say(
      'warning',
      `\`clients: any\`: a token that an agent exchanged cannot be told from the user's own${isEvidenceItsOwn ? '' : ", nor a service account's that was set up to look like one"}; list the clients that users log in to`,
    )
  else if (!isEvidenceItsOwn)
    say(
      'note',
      `these clients must have service accounts (the client credentials grant) and token exchange off at the provider: ${clients.map((client) => `\`${client}\``).join(', ')}`,
    )
  if (changeable.has(id))
    say(
      'warning',
      `\`id: ${id}\` can change, and come to mean another person; prefer \`sub\`, or \`oid\` for Entra`,
    )
  if (provider === 'entra' && id === 'sub')
    say('note', '`sub` differs by application in Entra; `id: oid` is the same for all of a tenant')
  if (provider === 'keycloak' && audience.includes('account'))
    say(
      'warning',
      '`audience: account` is in nearly every token of Keycloak; give the agents an audience of their own',
    )
  const own = clients === 'any' || typeof audience === 'string' ? [] : audience
  for (const each of own.filter((each) => clients.includes(each)))
    say(
      'warning',
      `\`audience: ${each}\` is also one of \`clients\`, whose ID tokens name it, too; give the agents an audience of their own`,
    )
  return remarks
}

import type { Problem } from '../../base/document/problem.ts'
import { formatEntityUid } from '../../base/model/entity-uid.ts'
import { splitIssuer } from '../../base/text/issuer-name.ts'
import { nearestName } from '../../base/text/near-name.ts'
import type { NamedSubject } from '../cedar/literals.ts'

/** A configured identity provider, and the groups that its tokens can have. */
export type KnownIssuer = { readonly name: string; readonly groupsAllow: readonly string[] }

/** Hints compare a name with all known names while requests wait, so the number is bounded. */
const maxCompared = 20_000

/**
 * Finds users and groups in policies that no token can have, because their provider or group is not configured. Only the
 * configuration shows that, so the policies still load. A provider is named once.
 */
export function unknownSubjects(
  subjects: readonly NamedSubject[],
  issuers: readonly KnownIssuer[],
): readonly Problem[] {
  const groupsOf = new Map(issuers.map(({ name, groupsAllow }) => [name, new Set(groupsAllow)]))
  const strangers = new Map<string, NamedSubject[]>()
  const problems: Problem[] = []
  let compared = 0
  for (const subject of subjects) {
    const { issuer = '', rest = '' } = splitIssuer(subject.uid.id) ?? {}
    const groups = groupsOf.get(issuer)
    if (groups === undefined) {
      const same = strangers.get(issuer)
      if (same === undefined) strangers.set(issuer, [subject])
      else same.push(subject)
    } else if (subject.uid.type === 'Group' && !groups.has(rest)) {
      compared += groups.size
      const nearest = compared <= maxCompared ? nearestName(rest, groups) : undefined
      problems.push(
        toProblem(
          subject,
          '',
          `\`groupsAllow\` of \`${issuer}\` lacks \`${rest}\`, so no user is in it`,
          nearest,
        ),
      )
    }
  }
  return [
    ...[...strangers].flatMap(([issuer, same]) => ofStranger(issuer, same, groupsOf.keys())),
    ...problems,
  ]
}

function ofStranger(
  issuer: string,
  [first, ...more]: readonly NamedSubject[],
  known: Iterable<string>,
): readonly Problem[] {
  if (first === undefined) return []
  const others = more.length === 0 ? '' : ` and ${more.length} more`
  const why = `\`users\` of the configuration has no entry \`${issuer}\`, so no user is one of them`
  return [toProblem(first, others, why, nearestName(issuer, known))]
}

function toProblem(
  { uid, place }: NamedSubject,
  others: string,
  why: string,
  nearest: string | undefined,
): Problem {
  const hint = nearest === undefined ? '' : `; did you mean \`${nearest}\`?`
  return { ...place, message: `${formatEntityUid(uid)}${others}: ${why}${hint}` }
}

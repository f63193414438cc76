import type { Situation } from '../authoring/situation.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { parseSpiffeId, type SpiffeId } from '../base/model/spiffe-id.ts'

/** A request as the arguments of a command. */
export type SituationArgs = {
  readonly as?: string | undefined
  readonly for?: string | undefined
  readonly via?: readonly string[] | undefined
  readonly scope?: readonly string[] | undefined
  readonly method: string
  /** `records:8080/patients/42`: a service or one of its addresses, and the path. */
  readonly place: string
}

/** Parses `--as spiffe://… --for hospital/clerk:billing --via spiffe://… GET records:8080/patients/42`. */
export function parseSituationArgs(line: SituationArgs): Situation | Invalid {
  const slash = line.place.indexOf('/')
  if (slash < 1)
    return invalid(`expected SERVICE/PATH, such as \`records:8080/patients/42\`, found \`${line.place}\``)
  if (line.as === undefined) return invalid('`--as`: expected the caller, a SPIFFE ID or `ingress`')
  const caller = line.as === 'ingress' ? 'ingress' : parseSpiffeId(line.as)
  if (isInvalid(caller)) return invalid(`\`--as\`: ${caller.reason}`)
  const subject = line.for === undefined ? undefined : parseUser(line.for)
  if (subject !== undefined && isInvalid(subject)) return subject
  const actors: SpiffeId[] = []
  for (const text of line.via ?? []) {
    const actor = parseSpiffeId(text)
    if (isInvalid(actor)) return invalid(`\`--via\`: ${actor.reason}`)
    actors.push(actor)
  }
  return {
    caller,
    subject,
    actors,
    scopes: line.scope ?? [],
    isRecovered: false,
    service: line.place.slice(0, slash),
    method: line.method,
    path: line.place.slice(slash),
    isUpgrade: false,
  }
}

function parseUser(text: string): NonNullable<Situation['subject']> | Invalid {
  const [, issuerName, id, groups = ''] = /^([^/]+)\/([^:]+)(?::(.*))?$/.exec(text) ?? []
  if (issuerName === undefined || id === undefined) {
    return invalid(`\`--for\`: expected \`issuer/id\` or \`issuer/id:group,group\`, found \`${text}\``)
  }
  return { issuerName, id, groups: groups.split(',').filter((group) => group !== '') }
}

import type { Situation } from '../authoring/situation.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { parseSpiffeId, type SpiffeId } from '../base/model/spiffe-id.ts'
import { connect, connectionRequest, type Request } from '../policy/catalog/target.ts'

/** A request as the arguments of a command. */
export type SituationArgs = {
  readonly as?: string | undefined
  readonly for?: string | undefined
  readonly via?: readonly string[] | undefined
  readonly scope?: readonly string[] | undefined
  /** The method of a request, or `connect` for a connection without HTTP. */
  readonly method: string
  /** `records:8080/patients/42`: a service or one of its addresses, and the path. A connection has no path. */
  readonly place: string
}

/**
 * Parses `--as spiffe://… --for hospital/clerk:billing --via spiffe://… GET records:8080/patients/42`, or
 * `--as spiffe://… connect ledger:5432`.
 */
export function parseSituationArgs(line: SituationArgs): Situation | Invalid {
  const asked = line.method === connect.id ? parseConnection(line) : parseRequest(line)
  if (isInvalid(asked)) return asked
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
    ...asked,
  }
}

type AskedOf = Request & Pick<Situation, 'service'>

function parseRequest({ method, place }: SituationArgs): AskedOf | Invalid {
  if (method === '') return invalid('expected METHOD SERVICE/PATH, found no method')
  const slash = place.indexOf('/')
  if (slash < 1)
    return invalid(`expected SERVICE/PATH, such as \`records:8080/patients/42\`, found \`${place}\``)
  return { service: place.slice(0, slash), method, path: place.slice(slash), isUpgrade: false }
}

/** A connection is judged by its caller alone. */
function parseConnection({ as, place, ...chain }: SituationArgs): AskedOf | Invalid {
  if (place.includes('/')) return invalid(`expected a service, such as \`ledger:5432\`, found \`${place}\``)
  if (as === 'ingress') return invalid('`--as`: expected a SPIFFE ID, since whoever connects is judged')
  if (chain.for !== undefined || [...(chain.via ?? []), ...(chain.scope ?? [])].length > 0)
    return invalid('a connection carries no chain: leave `--for`, `--via` and `--scope` out')
  return { service: place, ...connectionRequest }
}

function parseUser(text: string): NonNullable<Situation['subject']> | Invalid {
  const [, issuerName, id, groups = ''] = /^([^/]+)\/([^:]+)(?::(.*))?$/.exec(text) ?? []
  if (issuerName === undefined || id === undefined) {
    return invalid(`\`--for\`: expected \`issuer/id\` or \`issuer/id:group,group\`, found \`${text}\``)
  }
  return { issuerName, id, groups: groups.split(',').filter((group) => group !== '') }
}

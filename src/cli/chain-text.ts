import { type Deny, isDeny } from '../base/model/decision.ts'
import { type ChainToken, parseChainToken } from '../decision/chain/token.ts'
import { type Terminal, toLine } from './terminal.ts'

/** The content of a chain token, with `kid` and `alg` of its header. */
export type Reading = { readonly token: ChainToken; readonly kid: string; readonly alg: string }

/** The widest limits of any configuration, so that the commands can read every accepted chain. */
export const widestLimits = { maxDepth: 8, maxLifetimeSeconds: 86_400 } as const

/** Returns the token given on the command line; `-` reads standard input, which keeps it out of the process list. */
export async function readToken(argument: string, terminal: Terminal): Promise<string> {
  return argument === '-'
    ? Buffer.from(await terminal.readStdin())
        .toString()
        .trim()
    : argument
}

/** Decodes a chain token without verifying it. */
export function readChain(text: string): Reading | Deny {
  const parsed = parseChainToken(text, widestLimits)
  if (isDeny(parsed)) return parsed
  const { kid, alg } = parsed.jws.protectedHeader
  return { token: parsed.token, kid, alg }
}

/** Formats the chain as a tree, from the user to the holder. */
export function formatChain({ token, kid, alg }: Reading): readonly string[] {
  const { subject, holder } = token
  const actors = token.actors.toReversed().map(({ uri }) => ({ part: 'agent', who: uri }))
  const groups = subject.groups.length > 0 ? `, groups ${subject.groups.join(', ')}` : ''
  const members = [
    { part: 'user', who: `${subject.id} of ${subject.issuer}${groups}` },
    ...actors,
    { part: 'holder', who: `${holder.uri} (may present it, has not acted yet)` },
  ]
  const tree = members.map(
    ({ part, who }, depth) => `${'   '.repeat(depth)}${depth === 0 ? '' : '└─ '}${part} ${who}`,
  )
  return [
    ...tree,
    '',
    `transaction  ${token.txn}`,
    `token        ${token.jti}${token.parHash === undefined ? ', the first of its chain' : `, child of ${token.parHash}`}`,
    ...(token.selfCalls > 0 ? [`self-calls   ${token.selfCalls}`] : []),
    `issuer       ${token.issuer}, key ${kid} (${alg})`,
    `scope        ${token.scopes.length > 0 ? token.scopes.join(' ') : 'none'}`,
    `issued       ${toIso(token.issuedAt)}`,
    `expires      ${toIso(token.expiresAt)}, the whole chain ${toIso(token.ceiling)}`,
  ].map(toLine)
}

/** Returns the chain for scripts: SPIFFE IDs as text, actors latest first, times in seconds since the epoch. */
export function chainToJson({ token, kid, alg }: Reading): object {
  return { ...token, holder: token.holder.uri, actors: token.actors.map(({ uri }) => uri), kid, alg }
}

function toIso(seconds: number): string {
  const ms = seconds * 1000
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${seconds} s`
}

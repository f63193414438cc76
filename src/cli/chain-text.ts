import { type Deny, isDeny } from '../base/model/decision.ts'
import { type ChainToken, parseChainToken } from '../decision/chain/token.ts'
import { type Terminal, toLine } from './terminal.ts'

/** What a chain token says, with the names that its header gives to the key. */
export type Reading = { readonly token: ChainToken; readonly kid: string; readonly alg: string }

/** The widest limits that any Waywarden may be configured with: what it accepts, the commands can read. */
export const widestLimits = { maxDepth: 8, maxLifetimeSeconds: 86_400 } as const

/** The text of a token given on the command line; `-` stands for standard input, which keeps it out of the process list. */
export async function readToken(argument: string, terminal: Terminal): Promise<string> {
  return argument === '-'
    ? Buffer.from(await terminal.readStdin())
        .toString()
        .trim()
    : argument
}

/** Decodes a chain token and proves nothing. */
export function readChain(text: string): Reading | Deny {
  const parsed = parseChainToken(text, widestLimits)
  if (isDeny(parsed)) return parsed
  const { kid, alg } = parsed.jws.protectedHeader
  return { token: parsed.token, kid, alg }
}

/** The chain as a tree, from the user to who may present it. */
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

/** The chain for scripts: SPIFFE IDs as text, actors latest first, times in seconds since the epoch. */
export function chainToJson({ token, kid, alg }: Reading): object {
  return { ...token, holder: token.holder.uri, actors: token.actors.map(({ uri }) => uri), kid, alg }
}

function toIso(seconds: number): string {
  const ms = seconds * 1000
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${seconds} s`
}

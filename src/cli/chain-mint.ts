import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import type { Caller } from '../base/model/caller.ts'
import type { DelegatedChain, FirstHop } from '../base/model/chain.ts'
import { type Deny, isDeny } from '../base/model/decision.ts'
import { parseDurationMs } from '../base/model/duration.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { isProblems } from '../base/model/problems.ts'
import { parseSpiffeId, type SpiffeId } from '../base/model/spiffe-id.ts'
import type { Service } from '../base/model/target.ts'
import { mintChild, type SignedChain } from '../decision/chain/extend.ts'
import type { ChainKeys } from '../decision/chain/keys.ts'
import { loadKeys } from '../decision/chain/keys-source.ts'
import { noRevocations } from '../decision/chain/revocations.ts'
import { admitChain, verifySignedChain } from '../decision/chain/verify.ts'
import { widestLimits } from './chain-text.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal } from './terminal.ts'

type MintCommandOptions = {
  readonly keys: string
  readonly issuer: string
  readonly subject: string
  readonly subjectIssuer: string
  readonly group: readonly string[]
  readonly scope: readonly string[]
  readonly actor: readonly string[]
  readonly holder: string
  readonly lifetime: string
  readonly json?: true
}

/** The meaning of the options: the delegations, oldest first, the holder last. */
type Order = {
  readonly keys: ChainKeys
  readonly path: readonly [SpiffeId, ...SpiffeId[]]
  readonly lifetimeSeconds: number
}

const example = [
  'waywarden chain mint --keys ./keys --issuer https://waywarden.hospital.example',
  '      --subject clerk --subject-issuer https://idp.hospital.example/realms/hospital --group billing',
  '      --actor spiffe://hospital.example/ns/billing/sa/agent-a --holder spiffe://hospital.example/ns/billing/sa/agent-d',
].join(' \\\n')

/** Adds `chain mint`. */
export function addChainMint(chain: Command, terminal: Terminal, finish: Finish): void {
  const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]
  chain
    .command('mint')
    .description('sign a chain for tests: with the keys, any chain can be signed')
    .requiredOption('--keys <dir>', 'the keys directory of the issuer')
    .requiredOption('--issuer <url>', '`chain.issuer` of the Waywarden that will verify it')
    .requiredOption('--subject <id>', 'the user')
    .requiredOption(
      '--subject-issuer <url>',
      'the identity provider of the user, a `users.issuer` of the configuration',
    )
    .requiredOption('--holder <spiffe-id>', 'the workload that may present it')
    .option('--actor <spiffe-id>', 'an actor, the first to act first; may be repeated', collect, [])
    .option('--group <name>', 'a group of the user; may be repeated', collect, [])
    .option('--scope <scope>', 'a scope; may be repeated', collect, [])
    .option('--lifetime <duration>', 'its lifetime', '5m')
    .option('--json', 'print one JSON object instead of the token alone')
    .addHelpText('after', helpFooter(example, '0 minted, 1 the chain would be invalid'))
    .action(async (options: MintCommandOptions) => finish(await mint(options, terminal)))
}

async function mint(options: MintCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const order = await readOrder(options)
  if (isInvalid(order)) {
    terminal.complain(order.reason)
    return exitCodes.usage
  }
  const signed = mintAlong(options, order, terminal.nowMs())
  if (isDeny(signed)) {
    terminal.complain(`${signed.code}: ${signed.reason}`)
    return exitCodes.negative
  }
  terminal.print(options.json ? JSON.stringify(signed, undefined, 2) : signed.token)
  return exitCodes.ok
}

async function readOrder(options: MintCommandOptions): Promise<Order | Invalid> {
  const keys = await loadKeys(options.keys)
  if (isProblems(keys))
    return invalid(keys.problems.map(({ reason }) => `\`${options.keys}\`: ${reason}`).join('\n'))
  const lifetimeMs = parseDurationMs(options.lifetime)
  if (isInvalid(lifetimeMs)) return invalid(`\`--lifetime\`: ${lifetimeMs.reason}`)
  const path: SpiffeId[] = []
  for (const text of [...options.actor, options.holder]) {
    const id = parseSpiffeId(text)
    if (isInvalid(id)) return invalid(`\`${text}\`: ${id.reason}`)
    path.push(id)
  }
  const [first, ...others] = path
  if (first === undefined) return invalid('expected `--holder`')
  return { keys, path: [first, ...others], lifetimeSeconds: Math.ceil(lifetimeMs / 1000) }
}

/** Mints hop after hop, like the waypoints on the way. */
function mintAlong(options: MintCommandOptions, order: Order, nowMs: number): SignedChain | Deny {
  const { keys, lifetimeSeconds } = order
  const userIssuers = new Map([[options.subjectIssuer, options.subjectIssuer]])
  const trust = { issuer: options.issuer, keys: keys.verifying, userIssuers, ...widestLimits }
  const minting = {
    ...widestLimits,
    issuer: options.issuer,
    key: keys.signing,
    ceiling: 'fixed',
    maxLifetimeSeconds: lifetimeSeconds,
  } as const
  const txn = randomUUID()
  const step = (
    chain: FirstHop | DelegatedChain,
    caller: Caller,
    [holder, ...onward]: readonly [SpiffeId, ...SpiffeId[]],
  ): SignedChain | Deny => {
    const ids = { jti: randomUUID(), txn }
    const signed = mintChild(chain, caller, toService(holder, lifetimeSeconds), minting, nowMs, ids)
    const [next, ...rest] = onward
    if (isDeny(signed) || next === undefined) return signed
    const presenter = toCaller(holder, false)
    const proven = verifySignedChain(signed.token, trust)
    const admitted = isDeny(proven) ? proven : admitChain(proven, presenter, trust, nowMs, noRevocations)
    return isDeny(admitted) ? admitted : step(admitted, presenter, [next, ...rest])
  }
  // The gateway passes on the user's request and is never an actor, so any name would do for it.
  return step(toFirstHop(options, nowMs), toCaller(order.path[0], true), order.path)
}

function toFirstHop(options: MintCommandOptions, nowMs: number): FirstHop {
  const issuedAt = Math.floor(nowMs / 1000)
  return {
    kind: 'first-hop',
    subject: {
      issuerName: options.subjectIssuer,
      issuer: options.subjectIssuer,
      id: options.subject,
      groups: options.group,
    },
    scopes: options.scope,
    issuedAt,
    expiresAt: issuedAt + widestLimits.maxLifetimeSeconds,
    authTime: undefined,
  }
}

function toCaller(id: SpiffeId, isIngress: boolean): Caller {
  return { id, provenBy: 'xfcc', waypoint: id, isIngress }
}

function toService(holder: SpiffeId, hopLifetimeSeconds: number): Service {
  const open = { isEntry: true, forwards: true, chainless: [], scopes: undefined }
  return { name: holder.uri, spiffeId: holder, waypoint: holder, hopLifetimeSeconds, ...open }
}

import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { isDeny } from '../base/model/decision.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { isProblems } from '../base/model/problems.ts'
import { parseSpiffeId } from '../base/model/spiffe-id.ts'
import { loadKeys } from '../decision/chain/keys-source.ts'
import { noRevocations } from '../decision/chain/revocations.ts'
import { admitChain, type ChainTrust, verifySignedChain } from '../decision/chain/verify.ts'
import { type KeySet, parseJwks } from '../decision/jws/key-set.ts'
import { chainToJson, formatChain, readChain, readToken, widestLimits } from './chain-text.ts'
import {
  describeError,
  type ExitCode,
  exitCodes,
  type Finish,
  helpFooter,
  type Terminal,
  toLine,
} from './terminal.ts'

type VerifyOptions = {
  readonly keys?: string
  readonly jwks?: string
  readonly issuer?: string
  readonly holder?: string
  readonly now?: string
  readonly json?: true
}

/** Adds `chain verify`. */
export function addChainVerify(chain: Command, terminal: Terminal, finish: Finish): void {
  chain
    .command('verify')
    .description(
      'verify signature, holder and times of a chain token like a check; revocations are not checked',
    )
    .argument('<token>', 'the token, or - to read it from standard input')
    .option('--keys <dir>', 'the keys directory of the issuer')
    .option('--jwks <file>', 'or the public keys, as `/.well-known/jwks.json` serves them')
    .option('--issuer <url>', 'the trusted issuer; by default the one that the token names')
    .option('--holder <spiffe-id>', 'the workload that presents it; by default the one that the token names')
    .option('--now <time>', 'the time to verify at, such as 2027-01-31T12:00:00Z; by default now')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      helpFooter('waywarden chain verify --keys ./keys - < token', '0 it verifies, 1 it does not'),
    )
    .action(async (token: string, options: VerifyOptions) => finish(await verify(token, options, terminal)))
}

async function verify(argument: string, options: VerifyOptions, terminal: Terminal): Promise<ExitCode> {
  const keys = await readKeys(options)
  const nowMs = options.now === undefined ? terminal.nowMs() : Date.parse(options.now)
  const problems = isInvalid(keys) ? [keys.reason] : []
  if (Number.isNaN(nowMs))
    problems.push(`\`--now\`: expected a time such as 2027-01-31T12:00:00Z, found \`${options.now}\``)
  if (isInvalid(keys) || problems.length > 0) {
    for (const problem of problems) terminal.complain(problem)
    return exitCodes.usage
  }
  const text = await readToken(argument, terminal)
  const reading = readChain(text)
  const refusal = isDeny(reading) ? reading : findRefusal(text, reading.token.issuer, options, keys, nowMs)
  const isProven = refusal === undefined
  if (options.json) {
    const shown = isDeny(reading) ? undefined : chainToJson(reading)
    const answer = { verified: isProven, code: refusal?.code, reason: refusal?.reason, chain: shown }
    terminal.print(JSON.stringify(answer, undefined, 2))
  } else {
    terminal.print(isProven ? 'VERIFIED' : toLine(`REFUSED ${refusal.code}: ${refusal.reason}`))
    for (const line of isDeny(reading) ? [] : formatChain(reading)) terminal.print(line)
  }
  return isProven ? exitCodes.ok : exitCodes.negative
}

async function readKeys({ keys, jwks }: VerifyOptions): Promise<KeySet | Invalid> {
  if ((keys === undefined) === (jwks === undefined))
    return invalid('expected either `--keys DIR` or `--jwks FILE`')
  if (jwks !== undefined) {
    try {
      return parseJwks(await readFile(jwks, 'utf8'))
    } catch (error) {
      return invalid(`\`${jwks}\` cannot be read: ${describeError(error)}`)
    }
  }
  const loaded = await loadKeys(keys ?? '.')
  return !isProblems(loaded)
    ? loaded.verifying
    : invalid(loaded.problems.map(({ reason }) => `\`${keys}\`: ${reason}`).join('\n'))
}

function findRefusal(
  text: string,
  claimedIssuer: string,
  options: VerifyOptions,
  keys: KeySet,
  nowMs: number,
): { readonly code: string; readonly reason: string } | undefined {
  const trust = {
    issuer: options.issuer ?? claimedIssuer,
    keys,
    userIssuers: new Map<string, string>(),
    ...widestLimits,
  }
  const proven = verifySignedChain(text, trust)
  if (isDeny(proven)) return proven
  const { token } = proven
  const holder = options.holder === undefined ? token.holder : parseSpiffeId(options.holder)
  if (isInvalid(holder)) return { code: 'chain_not_yours', reason: `\`--holder\`: ${holder.reason}` }
  // The configuration defines the identity providers. Without it, the one that the token names is accepted.
  const known: ChainTrust = { ...trust, userIssuers: new Map([[token.subject.issuer, token.subject.issuer]]) }
  const caller = { id: holder, provenBy: 'xfcc', waypoint: holder, isIngress: false } as const
  const admitted = admitChain(proven, caller, known, nowMs, noRevocations)
  return isDeny(admitted) ? admitted : undefined
}

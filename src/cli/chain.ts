import type { Command } from 'commander'
import { isDeny } from '../base/model/decision.ts'
import { addChainMint } from './chain-mint.ts'
import { chainToJson, formatChain, readChain, readToken } from './chain-text.ts'
import { addChainVerify } from './chain-verify.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal, toLine } from './terminal.ts'

/** Adds `chain inspect`, `chain verify` and `chain mint`. */
export function addChain(program: Command, terminal: Terminal, finish: Finish): void {
  const chain = program.command('chain').description('read, verify or mint delegation chains')
  chain
    .command('inspect')
    .description('show the content of a chain token without verifying it')
    .argument('<token>', 'the token, or - to read it from standard input')
    .option('--json', 'print one JSON object')
    .addHelpText('after', helpFooter('waywarden chain inspect - < token', '0 shown, 1 it is no chain token'))
    .action(async (token: string, options: InspectOptions) => finish(await inspect(token, options, terminal)))
  addChainVerify(chain, terminal, finish)
  addChainMint(chain, terminal, finish)
}

type InspectOptions = { readonly json?: true }

async function inspect(argument: string, { json }: InspectOptions, terminal: Terminal): Promise<ExitCode> {
  const reading = readChain(await readToken(argument, terminal))
  if (isDeny(reading)) {
    if (json)
      terminal.print(
        JSON.stringify({ verified: false, code: reading.code, reason: reading.reason }, undefined, 2),
      )
    else terminal.complain(toLine(`not a chain token: ${reading.code}: ${reading.reason}`))
    return exitCodes.negative
  }
  if (json) {
    terminal.print(JSON.stringify({ verified: false, chain: chainToJson(reading) }, undefined, 2))
    return exitCodes.ok
  }
  terminal.print('UNVERIFIED: the signature was not checked; use `waywarden chain verify`')
  for (const line of formatChain(reading)) terminal.print(line)
  return exitCodes.ok
}

import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { formatProof, parseProof, proveDecision, verifyProof } from '../audit/read/proof.ts'
import { findWholeId } from '../audit/read/whole-id.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { addKeyOption, type KeyOptions, readKeys } from './log-keys.ts'
import {
  describeError,
  type ExitCode,
  exitCodes,
  type Finish,
  helpFooter,
  type Terminal,
  toLine,
} from './terminal.ts'

/** Adds `audit prove` and `audit check`. */
export function addAuditProve(audit: Command, terminal: Terminal, finish: Finish): void {
  const command = audit
    .command('prove')
    .description("print a decision's record with the proof that it is in its log (C2SP tlog-proof)")
    .argument('<decision>', 'the decision id, as in the header `waywarden-decision-id`')
    .argument('<path...>', 'audit directories or segments')
  addKeyOption(command)
    .addHelpText(
      'after',
      helpFooter(
        'waywarden audit prove 0197f3b2-… ./audit > decision.tlog-proof',
        '0 proven, 1 no such record, or no checkpoint covers it yet',
      ),
    )
    .action(async (id: string, paths: readonly string[], options: KeyOptions) =>
      finish(await prove(id, paths, options, terminal)),
    )
  audit
    .command('check')
    .description(
      'check the output of `audit prove` with only the public key of the log, and print the record',
    )
    .argument('<file>', 'the proof, or - for standard input')
    .requiredOption('--key <file>', 'public key of the log')
    .addHelpText(
      'after',
      helpFooter(
        'waywarden audit check decision.tlog-proof --key log-key.pub',
        '0 the record is in the log, 1 it is not, or another key signed it',
      ),
    )
    .action(async (file: string, { key }: { readonly key: string }) =>
      finish(await check(file, key, terminal)),
    )
}

async function prove(
  given: string,
  paths: readonly string[],
  { key }: KeyOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const held = await readKeys(key)
  if (isInvalid(held)) return complain(held, exitCodes.usage, terminal)
  const id = await findWholeId(paths, given, held.keys)
  const proof = isInvalid(id) ? id : await proveDecision(paths, id, held.keys)
  if (isInvalid(proof)) {
    terminal.complain(toLine(proof.reason))
    return exitCodes.negative
  }
  terminal.print(formatProof(proof).trimEnd())
  return exitCodes.ok
}

async function check(file: string, keyFile: string, terminal: Terminal): Promise<ExitCode> {
  const given = await readKeys([keyFile])
  const text = await read(file, terminal)
  if (isInvalid(given)) return complain(given, exitCodes.usage, terminal)
  if (isInvalid(text)) return complain(text, exitCodes.usage, terminal)
  const proof = parseProof(`${text.trimEnd()}\n`)
  if (isInvalid(proof)) return complain(proof, exitCodes.negative, terminal)
  const proven = verifyProof(proof, given.keys ?? [])
  if (isInvalid(proven)) return complain(proven, exitCodes.negative, terminal)
  const { record, checkpoint } = proven
  terminal.print(toLine(JSON.stringify(record)))
  terminal.print(
    toLine(
      `is line ${proof.index} of \`${checkpoint.origin}\`, which had ${checkpoint.size} lines when that was signed`,
    ),
  )
  return exitCodes.ok
}

function complain({ reason }: Invalid, code: ExitCode, terminal: Terminal): ExitCode {
  terminal.complain(toLine(reason))
  return code
}

async function read(file: string, terminal: Terminal): Promise<string | Invalid> {
  if (file === '-') return Buffer.from(await terminal.readStdin()).toString()
  return readFile(file, 'utf8').catch((error: unknown) =>
    invalid(`\`${file}\` cannot be read: ${describeError(error)}`),
  )
}

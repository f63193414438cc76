import { type Command, Option } from 'commander'
import { formatBad, readRecords } from '../audit/read/query.ts'
import { findWholeId } from '../audit/read/whole-id.ts'
import { isInvalid } from '../base/model/invalid.ts'
import { type ProvenRecord, type Transaction, toTransaction } from '../explain/transaction.ts'
import { addKeyOption, type GivenKeys, type KeyOptions, readKeys } from './log-keys.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal, toLine } from './terminal.ts'
import { formatJson } from './transaction-json.ts'
import { formatMermaid } from './transaction-mermaid.ts'
import { formatTransaction } from './transaction-text.ts'

type ShowOptions = KeyOptions & { readonly json?: true; readonly mermaid?: true }

/** Adds `audit show`. */
export function addAuditShow(audit: Command, terminal: Terminal, finish: Finish): void {
  const command = audit
    .command('show')
    .description('show one transaction as a tree, from the user to every resource, over all replicas')
    .argument(
      '<txn>',
      'the transaction, or one of its decision ids, as in the header `waywarden-decision-id`',
    )
    .argument('<path...>', 'audit directories or files of every replica, or - for standard input')
  addKeyOption(command)
    .addOption(new Option('--json', 'print one JSON object').conflicts(['mermaid']))
    .option('--mermaid', 'print a Mermaid flowchart')
    .addHelpText(
      'after',
      helpFooter(
        'waywarden audit show 0197f3b2-… replica-0/audit replica-1/audit',
        '0 shown, 1 no such transaction, or not all paths could be read',
      ),
    )
    .action(async (txn: string, paths: readonly string[], options: ShowOptions) =>
      finish(await show(txn, paths, options, terminal)),
    )
}

async function show(
  given: string,
  paths: readonly string[],
  options: ShowOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const held = await readKeys(options.key)
  if (isInvalid(held)) {
    terminal.complain(held.reason)
    return exitCodes.usage
  }
  const id = await findWholeId(paths, given, held.keys, ['txn', 'decisionId'])
  if (isInvalid(id)) {
    terminal.complain(toLine(id.reason))
    return exitCodes.negative
  }
  const source = { paths, keys: held.keys }
  const { records, isComplete } = await collect(id, source, terminal)
  const transaction = toTransaction(id, records)
  if (transaction === undefined) {
    terminal.complain(`no record of transaction or decision \`${toLine(id)}\`; name every replica's log`)
    return exitCodes.negative
  }
  for (const line of format(transaction, options, terminal)) terminal.print(line)
  return isComplete ? exitCodes.ok : exitCodes.negative
}

/** The paths to read, and the keys that must have signed them. */
type Source = { readonly paths: readonly string[]; readonly keys: GivenKeys['keys'] }
type Collected = { readonly records: readonly ProvenRecord[]; readonly isComplete: boolean }

/** Returns the records of a transaction; for a decision, of its transaction. */
async function collect(id: string, source: Source, terminal: Terminal): Promise<Collected> {
  const { records, complaints } = await read(id, source)
  const txn = records.find(({ record }) => record.decisionId === id)?.record.txn
  const ofTransaction = records.filter(({ record }) => record.txn === id)
  // Standard input can be read only once, so only the records of this decision are known.
  const isRead = ofTransaction.length > 0 || txn === undefined || source.paths.includes('-')
  const again = isRead ? undefined : await read(txn, source)
  const unread = again?.complaints ?? complaints
  for (const complaint of unread) terminal.complain(complaint)
  const isComplete = unread.length === 0
  if (again !== undefined)
    return { records: again.records.filter(({ record }) => record.txn === txn), isComplete }
  const ofDecision = records.filter(({ record }) => record.decisionId === id)
  return { records: ofTransaction.length > 0 ? ofTransaction : ofDecision, isComplete }
}

async function read(
  text: string,
  { paths, keys }: Source,
): Promise<{ readonly records: readonly ProvenRecord[]; readonly complaints: readonly string[] }> {
  const records: ProvenRecord[] = []
  const complaints: string[] = []
  for await (const line of readRecords(paths, { mentions: [text], keys })) {
    if (line.kind === 'record') records.push({ record: line.record, standing: line.standing })
    else if (line.kind === 'bad') complaints.push(toLine(formatBad(line)))
  }
  return { records, complaints }
}

function format(transaction: Transaction, options: ShowOptions, terminal: Terminal): Iterable<string> {
  if (options.json) return formatJson(transaction)
  return options.mermaid ? formatMermaid(transaction) : formatTransaction(transaction, terminal)
}

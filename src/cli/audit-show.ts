import { type Command, Option } from 'commander'
import { readRecords } from '../audit/query.ts'
import type { DecisionRecord } from '../audit/record.ts'
import { type Transaction, toTransaction } from '../review/transaction.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal, toLine } from './terminal.ts'
import { toMermaid } from './transaction-mermaid.ts'
import { toSvg } from './transaction-svg.ts'
import { formatTransaction } from './transaction-text.ts'

type ShowOptions = { readonly json?: true; readonly mermaid?: true; readonly svg?: true }

/** Adds `audit show`. */
export function addAuditShow(audit: Command, terminal: Terminal, finish: Finish): void {
  audit
    .command('show')
    .description('show one transaction as a tree, from the user to every resource, whichever replica decided')
    .argument(
      '<txn>',
      'the transaction, or one of its decisions, as answers carry it in `waywarden-decision-id`',
    )
    .argument('<path...>', 'audit directories or files of every replica, or - for standard input')
    .addOption(new Option('--json', 'print one JSON object').conflicts(['mermaid', 'svg']))
    .addOption(new Option('--mermaid', 'print a Mermaid flowchart').conflicts(['svg']))
    .option('--svg', 'print a picture')
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
  id: string,
  paths: readonly string[],
  options: ShowOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { records, isComplete } = await collect(id, paths, terminal)
  const transaction = toTransaction(id, records)
  if (transaction === undefined) {
    terminal.complain(`no record of transaction or decision \`${toLine(id)}\`; name every replica's log`)
    return exitCodes.negative
  }
  print(transaction, options, terminal)
  return isComplete ? exitCodes.ok : exitCodes.negative
}

type Collected = { readonly records: readonly DecisionRecord[]; readonly isComplete: boolean }

/** The records of a transaction; of a decision's transaction when only the decision is known. */
async function collect(id: string, paths: readonly string[], terminal: Terminal): Promise<Collected> {
  const { records, isComplete } = await read(id, paths, terminal)
  const txn = records.find(({ decisionId }) => decisionId === id)?.txn
  const ofTransaction = records.filter((record) => record.txn === id)
  if (ofTransaction.length > 0) return { records: ofTransaction, isComplete }
  const ofDecision = records.filter(({ decisionId }) => decisionId === id)
  // Standard input is read only once; what it says of this one decision is what there is.
  if (txn === undefined || paths.includes('-')) return { records: ofDecision, isComplete }
  const again = await read(txn, paths, terminal)
  return { records: again.records.filter((record) => record.txn === txn), isComplete: again.isComplete }
}

async function read(text: string, paths: readonly string[], terminal: Terminal): Promise<Collected> {
  const records: DecisionRecord[] = []
  let isComplete = true
  for await (const line of readRecords(paths, { mentions: [text] })) {
    if (line.kind === 'record') records.push(line.record)
    else if (line.kind === 'bad') {
      terminal.complain(
        toLine(line.line === 0 ? `${line.reason}` : `${line.file}:${line.line}: ${line.reason}`),
      )
      isComplete = false
    }
  }
  return { records, isComplete }
}

function print(transaction: Transaction, options: ShowOptions, terminal: Terminal): void {
  if (options.json) terminal.print(JSON.stringify(transaction, undefined, 2))
  else if (options.mermaid) terminal.print(toMermaid(transaction))
  else if (options.svg) terminal.print(toSvg(transaction))
  else for (const line of formatTransaction(transaction, terminal)) terminal.print(line)
}

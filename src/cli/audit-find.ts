import { type Command, InvalidArgumentError } from 'commander'
import { readPseudonyms } from '../audit/format/pseudonym.ts'
import type { DecisionRecord } from '../audit/format/record.ts'
import type { ProofLevel } from '../audit/log/proof-level.ts'
import { formatBad, type Query, readRecords } from '../audit/read/query.ts'
import { denyCodes } from '../base/model/decision.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { hintFor } from '../base/text/did-you-mean.ts'
import { show } from '../base/text/show.ts'
import { NothingFound } from '../explain/nothing-found.ts'
import { matches, mentionsOf, type RecordFilter } from '../explain/record-filter.ts'
import { addKeyOption, type KeyOptions, readKeys } from './log-keys.ts'
import { parseTimeMs } from './parse-time.ts'
import {
  type ExitCode,
  exitCodes,
  type Finish,
  helpFooter,
  paint,
  type Terminal,
  toLine,
} from './terminal.ts'
import { shortName } from './transaction-text.ts'

type FindOptions = Omit<RecordFilter, 'sinceMs' | 'untilMs'> &
  KeyOptions & {
    readonly since?: string
    readonly until?: string
    readonly limit?: number
    readonly json?: true
    readonly pseudonyms?: string
  }

type Found = { readonly record: DecisionRecord; readonly standing: ProofLevel }

const maxComplaints = 5
/** The maximum number of records to read for explaining an empty result. */
const maxLooked = 20_000
const outcomeColors = { allow: 'green', observed: 'yellow', deny: 'red' } as const

/** Adds `audit find`. */
export function addAuditFind(audit: Command, terminal: Terminal, finish: Finish): void {
  const command = audit
    .command('find')
    .description('find decisions; prints one line for each')
    .argument('<path...>', 'audit directories or files of every replica, or - for standard input')
  addKeyOption(command)
    .option('--user <id>', 'for this user: `clerk` or `hospital/clerk`')
    .option('--agent <id>', 'with this agent as the caller or in the chain: a SPIFFE ID, or the end of one')
    .option('--service <name>', 'of this service')
    .option('--outcome <outcome>', 'allow, observed or deny')
    .option('--code <code>', 'refused with this code')
    .option('--policy <policy>', 'decided by this policy: its id, or its file')
    .option('--revision <id>', 'decided by this policy revision, or one that starts with it')
    .option('--txn <txn>', 'of this transaction')
    .option('--since <when>', 'only since this time: `7d`, `12h`, or 2027-01-31T12:00:00Z')
    .option('--until <when>', 'only before this time')
    .option('--limit <count>', 'stop after this number', parseCount)
    .option(
      '--pseudonyms <file>',
      'the secret of `audit.pseudonyms`, to find the records of `--user hospital/clerk`',
    )
    .option('--json', 'print the records, one a line')
    .addHelpText(
      'after',
      helpFooter(
        'waywarden audit find ./audit --user clerk --code policy_denied --since 7d',
        '0 found, 1 none found, or not everything could be read',
      ),
    )
    .action(async (paths: readonly string[], options: FindOptions) =>
      finish(await find(paths, options, terminal)),
    )
}

async function find(paths: readonly string[], options: FindOptions, terminal: Terminal): Promise<ExitCode> {
  const { since, until, limit = Number.POSITIVE_INFINITY, json, pseudonyms, key, ...same } = options
  const given = refuseNames(options) ?? (await readKeys(key))
  if (isInvalid(given)) return refuse(given, terminal)
  const user = pseudonyms === undefined ? options.user : pseudonymOf(options.user, pseudonyms)
  if (isInvalid(user)) return refuse(user, terminal)
  const sinceMs = since === undefined ? undefined : parseTimeMs('--since', since, terminal.nowMs())
  const untilMs = until === undefined ? undefined : parseTimeMs('--until', until, terminal.nowMs())
  if (isInvalid(sinceMs)) return refuse(sinceMs, terminal)
  if (isInvalid(untilMs)) return refuse(untilMs, terminal)
  const filter = { ...same, user, sinceMs, untilMs }
  let found = 0
  let unreadable = 0
  const query = { ...filter, mentions: mentionsOf(filter), keys: given.keys }
  for await (const line of readRecords(paths, query)) {
    if (line.kind === 'bad') {
      if (unreadable++ < maxComplaints) terminal.complain(toLine(formatBad(line)))
    } else if (line.kind === 'record' && matches(line.record, filter)) {
      terminal.print(json ? JSON.stringify(line.record) : format(line, terminal))
      if (++found >= limit) break
    }
  }
  if (found === 0) terminal.complain(toLine(await explainNothing(paths, filter, given.keys)))
  if (unreadable > maxComplaints) terminal.complain(`${unreadable} lines or paths could not be read`)
  return found > 0 && unreadable === 0 ? exitCodes.ok : exitCodes.negative
}

function refuse({ reason }: Invalid, terminal: Terminal): ExitCode {
  terminal.complain(reason)
  return exitCodes.usage
}

/** Explains an empty result: reads again from the start, up to a limit. */
async function explainNothing(
  paths: readonly string[],
  filter: RecordFilter,
  keys: Query['keys'],
): Promise<string> {
  // Standard input can be read only once.
  if (paths.includes('-')) return 'none found'
  const nothing = new NothingFound(filter)
  for await (const line of readRecords(paths, { keys })) {
    if (line.kind === 'record' && nothing.add(line.record) >= maxLooked) return nothing.explain(false)
  }
  return nothing.explain(true)
}

/** A name that no record can have is a mistake, and would find nothing. */
function refuseNames({ outcome, code }: FindOptions): Invalid | undefined {
  const closed: readonly (readonly [option: string, given: string | undefined, known: readonly string[]])[] =
    [
      ['--outcome', outcome, Object.keys(outcomeColors)],
      ['--code', code, denyCodes],
    ]
  for (const [option, given, known] of closed) {
    if (given === undefined || known.includes(given)) continue
    return invalid(`\`${option}\`: no decision has ${show(given)}; ${hintFor(given, known)}`)
  }
  return undefined
}

function pseudonymOf(user: string | undefined, file: string): string | Invalid {
  const [, issuerName, id] = /^([^/]+)\/(.+)$/s.exec(user ?? '') ?? []
  if (issuerName === undefined || id === undefined) {
    return invalid(
      '`--pseudonyms`: expected `--user` as `hospital/clerk`, because pseudonyms depend on the provider',
    )
  }
  const pseudonymize = readPseudonyms(file)
  return isInvalid(pseudonymize) ? pseudonymize : `${issuerName}/${pseudonymize(issuerName, id)}`
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('expected a number from 1 on')
}

function format({ record, standing }: Found, terminal: Terminal): string {
  const { chain, caller, service, outcome, code } = record
  const user =
    chain === undefined || chain.kind === 'none' ? '-' : `${chain.subject.issuerName}/${chain.subject.id}`
  const who = `${caller === undefined ? '?' : shortName(caller.id)} -> ${service?.name ?? '?'}`
  const decision = paint(
    `${outcome}${code === undefined ? '' : ` ${code}`}`,
    outcomeColors[outcome],
    terminal,
  )
  const [time, rest] = [toLine(record.time), toLine(`${who}  ${user}  ${record.decisionId}`)]
  return `${time}  ${decision}  ${rest}${standing === 'unsigned' ? '  not signed yet' : ''}`
}

import type { Command } from 'commander'
import type { DecisionRecord } from '../audit/format/record.ts'
import { formatBad, readRecords } from '../audit/read/query.ts'
import { isFailure } from '../base/model/failure.ts'
import { isInvalid } from '../base/model/invalid.ts'
import { createReport, type ReportBuilder } from '../explain/report.ts'
import { parseCatalog } from '../policy/catalog/catalog.ts'
import { addKeyOption, type GivenKeys, type KeyOptions, readKeys } from './log-keys.ts'
import { parseTimeMs } from './parse-time.ts'
import { formatReport, reportToJson } from './report-text.ts'
import { readKept } from './stored-revision.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal, toLine } from './terminal.ts'

type ReportCommandOptions = KeyOptions & {
  readonly since?: string
  readonly denied?: true
  readonly json?: true
}
type Reading = { readonly unreadable: number; readonly latest: DecisionRecord | undefined }

const maxComplaints = 5

/** Adds `report`. */
export function addReport(program: Command, terminal: Terminal, finish: Finish): void {
  const command = program
    .command('report')
    .description('report would-be denials, and different decisions of a shadow revision, from the audit log')
    .argument('<path...>', 'audit directories or files of every replica, or - for standard input')
  addKeyOption(command)
    .option('--since <when>', 'only decisions since this time: `7d`, `12h`, or 2027-01-31T12:00:00Z')
    .option('--denied', 'also count real denials')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      helpFooter(
        'waywarden report ./audit --since 7d',
        '0 nothing would be denied, 1 something would, there are no records, or not all could be read',
      ),
    )
    .action(async (paths: readonly string[], options: ReportCommandOptions) =>
      finish(await report(paths, options, terminal)),
    )
}

async function report(
  paths: readonly string[],
  options: ReportCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const sinceMs = options.since === undefined ? 0 : parseTimeMs('--since', options.since, terminal.nowMs())
  if (isInvalid(sinceMs)) {
    terminal.complain(sinceMs.reason)
    return exitCodes.usage
  }
  const given = await readKeys(options.key)
  if (isInvalid(given)) {
    terminal.complain(given.reason)
    return exitCodes.usage
  }
  const builder = createReport({ sinceMs, withDenied: options.denied === true })
  const { unreadable, latest } = await readInto(builder, paths, given.keys, terminal)
  const found = builder.build(await readOwners(paths, latest))
  if (options.json) terminal.print(JSON.stringify(reportToJson(found, unreadable), undefined, 2))
  else for (const line of formatReport(found)) terminal.print(toLine(line))
  // Without any record, or with unread ones, it cannot claim that nothing would be denied.
  const isClean = found.decisions !== undefined && found.wouldBeDenied === 0 && unreadable === 0
  return isClean ? exitCodes.ok : exitCodes.negative
}

async function readInto(
  builder: ReportBuilder,
  paths: readonly string[],
  keys: GivenKeys['keys'],
  terminal: Terminal,
): Promise<Reading> {
  let latest: DecisionRecord | undefined
  let unreadable = 0
  for await (const line of readRecords(paths, { keys })) {
    if (line.kind === 'record') {
      builder.add(line.record)
      if (latest === undefined || line.record.time > latest.time) latest = line.record
    } else if (line.kind === 'shadow') builder.addShadow(line.shadow)
    else if (line.kind === 'bad') {
      if (unreadable < maxComplaints) terminal.complain(toLine(formatBad(line)))
      unreadable++
    }
  }
  if (unreadable > maxComplaints) terminal.complain(`${unreadable} lines or paths could not be read`)
  return { unreadable, latest }
}

/** Reads the owners from the catalog of the last decision, if its revision was stored beside the records. */
async function readOwners(
  paths: readonly string[],
  latest: DecisionRecord | undefined,
): Promise<ReadonlyMap<string, string | undefined>> {
  if (latest?.policyRevision === undefined) return new Map()
  for (const path of paths) {
    const kept = await readKept(path, latest)
    const catalog = isInvalid(kept) ? kept : parseCatalog(kept.files.get('services.yaml') ?? '')
    if (!isFailure(catalog)) return new Map(catalog.services.map(({ name, owner }) => [name, owner]))
  }
  return new Map()
}

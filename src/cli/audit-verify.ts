import type { KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { type Checkpoint, formatVerifierKey, verifyCheckpoint } from '../audit/format/checkpoint.ts'
import { toBase64 } from '../audit/format/merkle.ts'
import { parseMetaLine } from '../audit/format/meta-line.ts'
import { createKeyring } from '../audit/log/keyring.ts'
import { findEvidence } from '../audit/verify/evidence.ts'
import { type Verification, verifyLogs } from '../audit/verify/verify.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { formatVerification } from './audit-verify-text.ts'
import { addKeyOption, readKeys } from './log-keys.ts'
import { parseTimeMs } from './parse-time.ts'
import {
  describeError,
  type ExitCode,
  exitCodes,
  type Finish,
  helpFooter,
  type Terminal,
} from './terminal.ts'

type VerifyOptions = {
  readonly key?: readonly string[]
  readonly checkpoint: readonly string[]
  readonly asOf?: string
  readonly json?: true
}

const progressBytes = 1 << 28

/** Adds `audit verify`. */
export function addAuditVerify(audit: Command, terminal: Terminal, finish: Finish): void {
  const command = audit
    .command('verify')
    .description(
      'verify that no line was changed, removed, added or reordered, using only the files and the public key',
    )
    .argument('<path...>', 'audit directories; single segments cannot prove that none is missing')
  addKeyOption(command)
    .option('--checkpoint <file>', 'checkpoints of these logs, kept elsewhere; may be repeated', collect, [])
    .option(
      '--as-of <when>',
      'the time that every unclosed log must reach: `now`, `7d` or 2027-01-31T12:00:00Z; by default the end of the newest',
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      helpFooter(
        'waywarden audit verify ./audit --key log-key.pub --checkpoint exported.txt',
        '0 everything is as signed, 1 something is not, or could not be read',
      ),
    )
    .action(async (paths: readonly string[], options: VerifyOptions) =>
      finish(await verify(paths, options, terminal)),
    )
}

async function verify(
  paths: readonly string[],
  options: VerifyOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const nowMs = terminal.nowMs()
  const asOfMs = parseAsOf(options.asOf, nowMs)
  if (isInvalid(asOfMs)) return complain(asOfMs, terminal)
  const given = await readKeys(options.key)
  if (isInvalid(given)) return complain(given, terminal)
  const exported = await readCheckpoints(options.checkpoint, given.keys ?? (await keysBeside(paths)))
  if (isInvalid(exported)) return complain(exported, terminal)
  const trust = { keys: given.keys, exported, asOfMs, nowMs: () => terminal.nowMs() }
  const verification = await verifyLogs(paths, trust, createProgress(terminal))
  const isSound =
    verification.problems.length === 0 && verification.logs.every(({ flaws }) => flaws.length === 0)
  const known = { hasKey: given.keys !== undefined, hasCheckpoints: exported.length > 0 }
  if (options.json) terminal.print(JSON.stringify(toJson(verification, isSound), undefined, 2))
  else for (const line of formatVerification(verification, known, terminal)) terminal.print(line)
  return isSound ? exitCodes.ok : exitCodes.negative
}

function complain({ reason }: Invalid, terminal: Terminal): ExitCode {
  terminal.complain(reason)
  return exitCodes.usage
}

function parseAsOf(text: string | undefined, nowMs: number): number | undefined | Invalid {
  if (text === undefined) return undefined
  const asOfMs = text === 'now' ? nowMs : parseTimeMs('--as-of', text, nowMs)
  return !isInvalid(asOfMs) && asOfMs > nowMs
    ? invalid(`\`--as-of\`: expected a time in the past, found \`${text}\``)
    : asOfMs
}

/** Returns the keys for kept checkpoints if none was given. The verification reports a log whose key is missing. */
async function keysBeside(paths: readonly string[]): Promise<readonly KeyObject[]> {
  const { segments } = await findEvidence(paths)
  const keyring = createKeyring(undefined)
  const keys = await Promise.all([...new Set(segments.map(({ root }) => root))].map(keyring))
  return keys.flatMap((each) => (isInvalid(each) ? [] : each))
}

/** Reads kept checkpoints: one signed note in a file, or the lines that `audit.stdout` printed. */
async function readCheckpoints(
  files: readonly string[],
  keys: readonly KeyObject[],
): Promise<readonly Checkpoint[] | Invalid> {
  const checkpoints: Checkpoint[] = []
  for (const file of files) {
    const text = await readText(file)
    if (isInvalid(text)) return text
    const notes = toNotes(text)
    if (notes.length === 0) return invalid(`\`${file}\`: expected checkpoints, found none`)
    for (const note of notes) {
      const checkpoint = verifyCheckpoint(note, keys)
      if (isInvalid(checkpoint)) return invalid(`\`${file}\`: ${checkpoint.reason}`)
      checkpoints.push(checkpoint)
    }
  }
  return checkpoints
}

function toNotes(text: string): readonly string[] {
  if (!text.startsWith('{')) return [text]
  return text.split('\n').flatMap((line) => {
    const meta = parseMetaLine(Buffer.from(line))
    return !isInvalid(meta) && meta.kind === 'checkpoint' ? [meta.note] : []
  })
}

async function readText(file: string): Promise<string | Invalid> {
  return readFile(file, 'utf8').catch((error: unknown) =>
    invalid(`\`${file}\` cannot be read: ${describeError(error)}`),
  )
}

/** Prints progress for a person, on standard error, so that the output is unchanged. */
function createProgress({ isTerminal, complain: tell }: Terminal): (bytes: number) => void {
  let [read, told] = [0, 0]
  return (bytes) => {
    read += bytes
    if (!isTerminal || read - told < progressBytes) return
    told = read
    tell(`${(read / (1 << 30)).toFixed(1)} GiB verified`)
  }
}

function toJson({ logs, problems }: Verification, isSound: boolean): object {
  return {
    sound: isSound,
    problems,
    logs: logs.map(({ log, directory, verdict, keys, flaws, notes }) => {
      const { root, checkpoint, ...same } = verdict
      return {
        log,
        directory,
        ...same,
        follows: same.opening?.follows,
        root: toBase64(root),
        checkpointSize: checkpoint?.size,
        // The format of witnesses and other transparency tools.
        verifierKeys: keys.map((key) => formatVerifierKey(same.origin ?? log, key)),
        flaw: undefined,
        flaws,
        notes,
      }
    }),
  }
}

function collect(value: string, values: readonly string[]): readonly string[] {
  return [...values, value]
}

import type { KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { type Checkpoint, formatVerifierKey, verifyCheckpoint } from '../audit/checkpoint.ts'
import { parsePublicKey, publicKeyFile } from '../audit/log-key.ts'
import { parseMark } from '../audit/mark.ts'
import { toBase64 } from '../audit/merkle.ts'
import { type Verification, type VerifiedLog, verifyLogs } from '../audit/verify.ts'
import { logsOf } from '../audit/worker-logs.ts'
import { type Invalid, invalid, isInvalid } from '../model/invalid.ts'
import {
  describeError,
  type ExitCode,
  exitCodes,
  type Finish,
  helpFooter,
  paint,
  type Terminal,
  toLine,
} from './terminal.ts'

type VerifyOptions = {
  readonly key: readonly string[]
  readonly checkpoint: readonly string[]
  readonly json?: true
}

const progressBytes = 1 << 28

/** Adds `audit verify`. */
export function addAuditVerify(audit: Command, terminal: Terminal, finish: Finish): void {
  audit
    .command('verify')
    .description(
      'verify that nobody changed, removed, added or reordered a line, by files and public key alone',
    )
    .argument('<path...>', 'audit directories; segments alone cannot show what is missing beside them')
    .option('--key <file>', 'public key of the log, kept elsewhere; may be repeated', collect, [])
    .option('--checkpoint <file>', 'checkpoints of these logs, kept elsewhere; may be repeated', collect, [])
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      helpFooter(
        'waywarden audit verify ./audit --key log-key.pub --checkpoint exported.txt',
        '0 all is as it was signed, 1 something is not, or could not be read',
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
  const keys = await readKeys(options.key, paths)
  if ('kind' in keys) {
    terminal.complain(keys.reason)
    return exitCodes.usage
  }
  const exported = await readCheckpoints(options.checkpoint, keys)
  if ('kind' in exported) {
    terminal.complain(exported.reason)
    return exitCodes.usage
  }
  const verification = await verifyLogs(paths, { keys, exported }, createProgress(terminal))
  const isSound =
    verification.problems.length === 0 && verification.logs.every(({ flaws }) => flaws.length === 0)
  if (options.json) terminal.print(JSON.stringify(toJson(verification, isSound, keys), undefined, 2))
  else for (const line of format(verification, isSound, options, terminal)) terminal.print(line)
  return isSound ? exitCodes.ok : exitCodes.negative
}

/** Reads the keys that were named, or those that lie beside the logs, which prove only that key and log belong together. */
export async function readKeys(
  files: readonly string[],
  paths: readonly string[],
): Promise<readonly KeyObject[] | Invalid> {
  const keys: KeyObject[] = []
  for (const file of files.length > 0 ? files : await keysBeside(paths)) {
    const text = await readText(file)
    if (typeof text !== 'string') return invalid(`${text.reason}; name it with \`--key\``)
    const key = parsePublicKey(text)
    if (isInvalid(key)) return invalid(`\`${file}\`: ${key.reason}`)
    keys.push(key)
  }
  return keys
}

async function keysBeside(paths: readonly string[]): Promise<readonly string[]> {
  // A path that cannot be read is told by the key that is not found there.
  const logs = await Promise.all(paths.map((path) => logsOf(path).catch(() => [path])))
  return logs.flat().map((log) => join(log, publicKeyFile))
}

/** Exported checkpoints: one signed note a file, or the lines that `audit.stdout` printed. */
async function readCheckpoints(
  files: readonly string[],
  keys: readonly KeyObject[],
): Promise<readonly Checkpoint[] | Invalid> {
  const checkpoints: Checkpoint[] = []
  for (const file of files) {
    const text = await readText(file)
    if (typeof text !== 'string') return text
    for (const note of toNotes(text)) {
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
    const mark = parseMark(Buffer.from(line))
    return !isInvalid(mark) && mark.kind === 'checkpoint' ? [mark.note] : []
  })
}

async function readText(file: string): Promise<string | Invalid> {
  return readFile(file, 'utf8').catch((error: unknown) =>
    invalid(`\`${file}\` cannot be read: ${describeError(error)}`),
  )
}

/** Long work says where it is, where a person looks; on standard error, so that the output stays what it is. */
function createProgress({ isTerminal, complain }: Terminal): (bytes: number) => void {
  let [read, told] = [0, 0]
  return (bytes) => {
    read += bytes
    if (!isTerminal || read - told < progressBytes) return
    told = read
    complain(`${(read / (1 << 30)).toFixed(1)} GiB verified`)
  }
}

function format(
  { logs, problems }: Verification,
  isSound: boolean,
  { key, checkpoint }: VerifyOptions,
  terminal: Terminal,
): readonly string[] {
  const isSigned = problems.length === 0 && logs.every(({ flaws }) => flaws.every((flaw) => flaw.isSigned))
  const records = logs.reduce((sum, { verdict }) => sum + verdict.records, 0)
  return [
    ...logs.flatMap((log) => formatLog(log, terminal)),
    ...problems.map((problem) => paint(problem, 'red', terminal)),
    isSound
      ? paint(`${records} records in ${logs.length} logs are as they were signed`, 'green', terminal)
      : paint(
          isSigned ? 'as it was signed, but not all of it can be read' : 'NOT as it was signed',
          'red',
          terminal,
        ),
    ...(key.length > 0
      ? []
      : ['the key was found beside the log: whoever can change both is believed; use `--key`']),
    ...(checkpoint.length > 0
      ? []
      : [
          'no checkpoint from elsewhere: a last log whose end was cut off looks like this, too; use `--checkpoint`',
        ]),
  ]
}

function formatLog({ log, verdict, flaws }: VerifiedLog, terminal: Terminal): readonly string[] {
  const { beginsAt, size, records, unsealed, tornBytes, checkpoint } = verdict
  const notes = [
    `${records} records in lines ${beginsAt} to ${size - 1}`,
    checkpoint === undefined ? 'no checkpoint' : `checkpoint of ${checkpoint.size}`,
    ...(unsealed > 0 ? [`${unsealed} lines after it are signed by nobody yet`] : []),
    ...(tornBytes > 0 ? [`its writer ended ${tornBytes} bytes into a line`] : []),
  ]
  return [
    toLine(`${log}: ${notes.join(', ')}`),
    ...flaws.map(({ file, line, index, message }) => {
      const where = line === 0 ? file : `${file}:${line} (line ${index} of the log)`
      return paint(`  ${where} ${message}`, 'red', terminal)
    }),
  ]
}

function toJson({ logs, problems }: Verification, isSound: boolean, keys: readonly KeyObject[]): object {
  return {
    sound: isSound,
    problems,
    logs: logs.map(({ log, directory, verdict, flaws }) => {
      const { root, checkpoint, ...same } = verdict
      return {
        log,
        directory,
        ...same,
        root: toBase64(root),
        checkpointSize: checkpoint?.size,
        // As witnesses and other tools of the transparency world take them.
        verifierKeys: keys.map((key) => formatVerifierKey(same.origin ?? log, key)),
        flaw: undefined,
        flaws,
      }
    }),
  }
}

function collect(value: string, values: readonly string[]): readonly string[] {
  return [...values, value]
}

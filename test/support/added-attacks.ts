import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { formatMetaLine } from '../../src/audit/format/meta-line.ts'
import { at, forgedLine } from './attacked-logs.ts'
import type { Attack } from './attacks.ts'
import {
  endOf,
  filesOf,
  foreignLog,
  goOn,
  lastOf,
  logFile,
  names,
  next,
  opening,
  replay,
} from './forged-logs.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { tamper, writeLog } from './written-log.ts'

/** The planted content. */
export const added: readonly Attack[] = [
  {
    name: 'a file that no log has',
    change: (directory) => writeFileSync(join(directory, 'zz.ndjson'), forgedLine('a-0003')),
    says: /zz\.ndjson`: it is no segment of the logs here/,
  },
  ...['0999999999999', '1790001800000', '1790009000000', '999999999999999'].flatMap((epoch): Attack[] => [
    {
      name: `a log of records alone, begun at ${epoch}`,
      change: (directory) =>
        writeFileSync(logFile(directory, `replica-${Number(epoch)}`), forgedLine('a-0003')),
      says: /begins no segment/,
    },
    {
      name: `a log that begins as logs do and is not signed, begun at ${epoch}`,
      change: (directory) =>
        writeFileSync(
          logFile(directory, `replica-${Number(epoch)}`),
          formatMetaLine(opening(`replica-${Number(epoch)}`)) + forgedLine('a-0003'),
        ),
      says: /is signed by nobody/,
    },
  ]),
  {
    name: 'an unsigned log that says to follow the last one',
    change(directory) {
      const meta = { ...opening('replica-1790009000000'), follows: endOf(directory, names[2]) }
      writeFileSync(logFile(directory, meta.log), formatMetaLine(meta) + forgedLine('c-0001'))
    },
    says: /is signed by nobody/,
  },
  {
    name: 'a log that another key has signed',
    change: (directory) => foreignLog(directory, 'waywarden'),
    says: /signed by none of the given keys/,
  },
  ...names.flatMap((log): Attack[] => [
    {
      name: `a record without newline behind ${log}`,
      change: (directory) => appendFileSync(lastOf(directory, log), forgedLine('a-0003').trimEnd()),
      says: /bytes behind/,
    },
    {
      name: `a record behind ${log}`,
      change: (directory) => appendFileSync(lastOf(directory, log), `\n${forgedLine('a-0003')}`),
      says: /was added after the log had ended|is not what the log after it found|bytes behind its last line/,
    },
    {
      name: `a segment that goes on from ${log}`,
      change: (directory) => goOn(directory, log),
      says: /begins a segment after the log had ended|is not what the log after it found/,
    },
    {
      name: `a copy of ${log} under another name`,
      change(directory) {
        for (const file of filesOf(directory, log))
          copyFileSync(file, file.replace(log, 'replica-1790008000000'))
      },
      says: /begins segment 0 of .*: the file was swapped or renamed/,
    },
    {
      name: `the last segment of ${log} once more, under the next number`,
      change(directory) {
        const last = lastOf(directory, log)
        copyFileSync(
          last,
          last.replace(/(\d{6})\.ndjson/, (_, digits) => `${next(digits)}.ndjson`),
        )
      },
      says: /swapped or renamed|begins a segment after/,
    },
    {
      name: `the first segment of ${log} under a number with more zeros`,
      change(directory) {
        const [first = ''] = filesOf(directory, log)
        copyFileSync(first, first.replace('000000.ndjson', '0000000.ndjson'))
      },
      says: /it is no segment of the logs here/,
    },
  ]),
  ...names.flatMap((log): Attack[] => [
    {
      name: `signed lines of ${log} as a log of its own`,
      change(directory) {
        const as = { ...opening(log), log: 'replica-1790008000000' }
        writeFileSync(logFile(directory, as.log), replay(directory, log, as))
      },
      says: /was inserted: it was never signed/,
    },
    {
      name: `signed lines of ${log} once more, as its next segment`,
      change(directory) {
        const sequence = filesOf(directory, log).length
        const file = logFile(directory, log).replace('000000.nd', `${String(sequence).padStart(6, '0')}.nd`)
        writeFileSync(file, replay(directory, log, { ...opening(log), sequence }))
      },
      says: /begins a segment after the log had ended|is cut off: its last line does not end/,
    },
  ]),
  {
    name: 'a record once more in its place',
    change(directory) {
      const [, file = ''] = filesOf(directory, names[0])
      tamper(file, (lines) => lines.toSpliced(2, 0, lines[1] ?? ''))
    },
    says: /was reordered|was inserted/,
  },
  {
    name: 'a checkpoint of another log',
    change(directory) {
      const [, file = ''] = filesOf(directory, names[0])
      const [other = ''] = filesOf(directory, names[2])
      const checkpoint = readFileSync(other, 'utf8').split('\n')[1] ?? ''
      tamper(file, (lines) => lines.toSpliced(3, 0, checkpoint))
    },
    says: /is of `waywarden\/audit\/replica-1790007200000`/,
  },
  {
    name: 'a hard link to a segment under another name',
    change: (directory) => linkSync(lastOf(directory, names[0]), logFile(directory, 'replica-1790000000001')),
    says: /swapped or renamed/,
  },
  {
    name: 'a symbolic link to a segment elsewhere',
    change(directory) {
      const elsewhere = join(temporaryDirectory(), 'elsewhere.ndjson')
      writeFileSync(elsewhere, forgedLine('forged'))
      symlinkSync(elsewhere, logFile(directory, 'replica-1790008000000'))
    },
    says: /symbolic link/,
  },
  {
    name: 'a symbolic link in place of a segment',
    change(directory) {
      const file = lastOf(directory, names[0])
      renameSync(file, `${file}.kept`)
      symlinkSync(`${file}.kept`, file)
    },
    says: /symbolic link/,
  },
  {
    name: 'a directory that is named like a log',
    change: (directory) => mkdirSync(logFile(directory, 'replica-1790008000000')),
    says: /has a log’s name and is no file/,
  },
  {
    name: 'a pipe that is named like a log, which would never end',
    change: (directory) => void execFileSync('mkfifo', [logFile(directory, 'replica-1790008000000')]),
    says: /has a log’s name and is no file/,
  },
  {
    name: 'an empty log behind all others',
    change: (directory) => writeFileSync(logFile(directory, 'replica-1790009000000'), ''),
    says: /has no record and no checkpoint/,
  },
  {
    name: 'a folder of a worker that nobody is',
    change(directory) {
      mkdirSync(join(directory, 'worker-02'))
      writeFileSync(join(directory, 'worker-02', 'zz.ndjson'), forgedLine('forged'))
    },
    says: /a worker’s folder is named/,
  },
  {
    name: 'a forged folder of a worker, with a key of its own',
    async change(directory) {
      await writeLog(join(directory, 'worker-1'), ['forged'], { ...at(3), origin: 'forger' })
    },
    says: /signed by none of the given keys/,
  },
]

import { copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { type Hash, leafHash, toBytes, toHashes } from '../../src/audit/format/merkle.ts'
import { at, forgedLine } from './attacked-logs.ts'
import { cutLines, filesOf, lastOf, names } from './forged-logs.ts'
import { tamper, writeLog } from './written-log.ts'

/** The attacks of a writer of the directory who lacks the key. */
export type Attack = {
  readonly name: string
  readonly change: (directory: string) => void | Promise<void>
  /** The result of verification. */
  readonly says: RegExp
}

/** The removed content. */
export const removed: readonly Attack[] = [
  ...names.slice(0, 2).flatMap((log): Attack[] => [
    {
      name: `${log}`,
      change(directory) {
        for (const file of filesOf(directory, log)) rmSync(file)
      },
      says: new RegExp(`follows \`${log}\`, which is missing`),
    },
    {
      name: `what ${log} says, but not its files`,
      change(directory) {
        for (const file of filesOf(directory, log)) truncateSync(file)
      },
      says: /was cut: the log after it found \d+ lines, 0 are left/,
    },
    {
      name: `the last segment of ${log}`,
      change: (directory) => rmSync(lastOf(directory, log)),
      says: /was cut: the log after it found/,
    },
    {
      name: `the last line of ${log}`,
      change: (directory) => cutLines(lastOf(directory, log), -1),
      says: /was cut: the log after it found/,
    },
  ]),
  ...names.map(
    (log): Attack => ({
      name: `the first segment of ${log}`,
      change: (directory) => rmSync(filesOf(directory, log)[0] ?? ''),
      says: /begins at line \d+: retention did not remove|was cut/,
    }),
  ),
  {
    name: 'a segment in the middle',
    change: (directory) => rmSync(filesOf(directory, names[0])[1] ?? ''),
    says: /lines of the log stand before it: \d+ of them are missing/,
  },
  {
    name: 'the line that the killed process did not finish',
    change(directory) {
      const file = lastOf(directory, names[1])
      const text = readFileSync(file, 'utf8')
      writeFileSync(file, text.slice(0, text.lastIndexOf('\n') + 1))
    },
    says: /was cut: the log after it found 24 bytes of a torn line/,
  },
]

/** The replaced content. */
export const replaced: readonly Attack[] = [
  {
    name: 'the line that the killed process did not finish by a record',
    change(directory) {
      const file = lastOf(directory, names[1])
      const text = readFileSync(file, 'utf8')
      writeFileSync(file, text.slice(0, text.lastIndexOf('\n') + 1) + forgedLine('b-0001').trimEnd())
    },
    says: /bytes behind its last line .*, and the log after it found 24/,
  },
  {
    name: 'the same by as many other bytes',
    change(directory) {
      const file = lastOf(directory, names[1])
      writeFileSync(file, readFileSync(file, 'utf8').replace(/dec$/, 'x.y'))
    },
    says: /found others/,
  },
  {
    name: 'a record that only the next process has signed',
    change(directory) {
      const file = lastOf(directory, names[1])
      const text = readFileSync(file, 'utf8')
      const at = text.lastIndexOf('policy_denied')
      writeFileSync(file, `${text.slice(0, at)}scope_missing${text.slice(at + 13)}`)
    },
    says: /is not what the log after it found/,
  },
  {
    name: 'one such record, and cut off the line after it',
    change(directory) {
      const file = lastOf(directory, names[1])
      cutLines(file, -1)
      tamper(file, (lines) => lines.with(-1, forgedLine('b-0006').trimEnd()))
    },
    says: /was cut: the log after it found/,
  },
  {
    name: 'two records, and the hash of one of them beside the checkpoint',
    change(directory) {
      const [, file = ''] = filesOf(directory, names[0])
      tamper(file, (lines) => {
        const [first = '', second = ''] = [lines[3], lines[4]]
        const forged = first.replaceAll('policy_denied', 'scope_missing')
        const [was, is] = [first, forged].map((line) => leafHash(Buffer.from(line)))
        return lines
          .with(3, forged)
          .with(4, second.replaceAll('policy_denied', 'scope_missing'))
          .map((line) => exchangeLeaf(line, was ?? '', is ?? ''))
      })
    },
    says: /is not what was signed/,
  },
  {
    name: 'a segment of one log by that of another',
    change: (directory) =>
      copyFileSync(filesOf(directory, names[2])[0] ?? '', filesOf(directory, names[0])[0] ?? ''),
    says: /begins segment 0 of `replica-1790007200000`: the file was swapped or renamed/,
  },
  {
    name: 'the public key beside the logs, and all logs',
    async change(directory) {
      rmSync(directory, { recursive: true })
      await writeLog(directory, ['a-0003'], at(0))
    },
    says: /signed by none of the given keys/,
  },
]

/** Puts another hash beside the checkpoints that have this one. */
function exchangeLeaf(line: string, was: Hash, is: Hash): string {
  const [, base64] = /"leaves":"([^"]*)"/.exec(line) ?? []
  if (base64 === undefined) return line
  const leaves = toHashes(Buffer.from(base64, 'base64')).map((leaf) => (leaf === was ? is : leaf))
  return line.replace(base64, toBytes(leaves).toString('base64'))
}

import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { at, forgedLine } from './attacked-logs.ts'
import type { Attack } from './attacks.ts'
import { filesOf } from './forged-logs.ts'
import { segmentsOf, writeLog } from './written-log.ts'

/** Attacks on the folders of three workers. */
export const workerAttacks: readonly Attack[] = [
  ...[1, 2, 3].map(
    (worker): Attack => ({
      name: `the folder of worker ${worker} was removed`,
      change: (directory) => rmSync(join(directory, `worker-${worker}`), { recursive: true }),
      says: new RegExp(
        `names the log \`worker-${worker}/replica-${worker}-1790007200000\` beside it, which is missing`,
      ),
    }),
  ),
  {
    name: 'the last log of a worker was removed',
    change(directory) {
      for (const file of filesOf(join(directory, 'worker-2'), 'replica-2-1790007200000')) rmSync(file)
    },
    says: /names the log `worker-2\/replica-2-1790007200000` beside it, which is missing/,
  },
  {
    name: 'the logs of the process that decided alone were removed',
    change(directory) {
      for (const file of segmentsOf(directory)) rmSync(file)
    },
    says: /names the log `replica-1790000000000` beside it, which is missing/,
  },
  {
    name: 'a folder was copied under another number',
    change: (directory) =>
      cpSync(join(directory, 'worker-2'), join(directory, 'worker-7'), { recursive: true }),
    says: /worker-7\/replica-2-.* is a copy: segment 0 of this log is .*worker-2/,
  },
  {
    name: 'a folder was renamed',
    change: (directory) => renameSync(join(directory, 'worker-2'), join(directory, 'worker-7')),
    says: /lies in the folder of worker 7 and was written by worker 2/,
  },
  {
    name: 'two folders were exchanged',
    change(directory) {
      renameSync(join(directory, 'worker-1'), join(directory, 'x'))
      renameSync(join(directory, 'worker-2'), join(directory, 'worker-1'))
      renameSync(join(directory, 'x'), join(directory, 'worker-2'))
    },
    says: /lies in the folder of worker 1 and was written by worker 2/,
  },
  {
    name: 'a folder is a link to another',
    change: (directory) => symlinkSync('worker-2', join(directory, 'worker-9')),
    says: /is a copy/,
  },
  {
    name: 'a log of the process that decided alone was put into a folder',
    change(directory) {
      mkdirSync(join(directory, 'worker-9'))
      for (const file of segmentsOf(directory))
        renameSync(file, file.replace(directory, join(directory, 'worker-9')))
    },
    says: /lies in the folder of worker 9 and was written by no worker/,
  },
  {
    name: 'a folder was filled with what another key has signed',
    change: (directory) =>
      writeLog(join(directory, 'worker-4'), ['forged'], { ...at(2), origin: 'forger', worker: 4 }),
    says: /signed by none of the given keys/,
  },
  {
    name: 'a folder is a file',
    change: (directory) => writeFileSync(join(directory, 'worker-8'), forgedLine('forged')),
    says: /has the name of a worker’s folder and is none/,
  },
]

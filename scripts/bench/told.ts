import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import type { Server } from './servers.ts'

/** Asks a module that is loaded into a server. It answers with JSON behind this word in the log. */
export async function told<T>({ running, log }: Server, word: string): Promise<T> {
  const seen = linesOf(log, word).length
  process.kill(running.pid, 'SIGUSR2')
  for (;;) {
    const lines = linesOf(log, word)
    const last = lines.at(-1)
    if (lines.length > seen && last?.endsWith('}')) return JSON.parse(last.slice(word.length))
    await wait(20)
  }
}

function linesOf(log: string, word: string): readonly string[] {
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`${word} {`))
}

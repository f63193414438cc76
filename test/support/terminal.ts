import { runCommandLine } from '../../src/cli/program.ts'

/** The output of a command, and its exit code. */
export type Ended = { readonly code: number; readonly out: string; readonly err: string }

/** Runs one command line in this process. */
export async function run(
  argv: readonly string[],
  stdin: string | Uint8Array = '',
  nowMs: number = Date.now(),
  shown: 'plain' | 'boxes' | 'colors' = 'plain',
): Promise<Ended> {
  const out: string[] = []
  const err: string[] = []
  const code = await runCommandLine(argv, {
    print: (line) => out.push(line),
    complain: (line) => err.push(line),
    readStdin: async () => Buffer.from(stdin),
    stopSignal: async () => 'SIGTERM',
    nowMs: () => nowMs,
    program: 'src/main.ts',
    isTerminal: shown !== 'plain',
    hasColors: shown === 'colors',
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

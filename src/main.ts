#!/usr/bin/env node
import { buffer } from 'node:stream/consumers'
import { runCommandLine } from './cli/program.ts'
import type { Terminal } from './cli/terminal.ts'

const terminal: Terminal = {
  print: (line) => process.stdout.write(`${line}\n`),
  complain: (line) => process.stderr.write(`${line}\n`),
  readStdin: () => buffer(process.stdin),
  stopSignal,
  nowMs: Date.now,
  program: import.meta.filename,
  isTerminal: process.stdout.isTTY === true,
  hasColors: process.stdout.isTTY === true && process.stdout.hasColors(),
}

// A reader that closes the pipe early (`| head`) is not an error.
process.stdout.on('error', leaveUnread)
process.exitCode = await runCommandLine(process.argv.slice(2), terminal)

function leaveUnread({ code }: NodeJS.ErrnoException): void {
  process.exit(code === 'EPIPE' ? 0 : 1)
}

/**
 * The first signal starts a drain; the second ends the process at once. Only `serve` waits for signals, and it must survive a
 * closed stdout, so from here on EPIPE is ignored.
 */
function stopSignal(): Promise<string> {
  process.stdout.off('error', leaveUnread).on('error', () => {})
  return new Promise((resolve) => {
    let isStopping = false
    const stop = (signal: string): void => {
      if (isStopping) process.exit(1)
      isStopping = true
      resolve(signal)
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
}

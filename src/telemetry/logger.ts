import { type Logger, pino } from 'pino'
import { toSafeJson } from '../base/text/json-line.ts'

export type { Logger } from 'pino'

/** The least important kind of line that is written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Where lines go; `process.stderr` is one. */
export type LogSink = { write(line: string): unknown }

const stderrFd = 2
const maxBufferedBytes = 1024 * 1024

/**
 * The operator's log: JSON lines on stderr, for stdout belongs to the audit's copy. A reader that stalls costs lines,
 * each told to `onDropped`, never a decision. `worker` says in every line which of several processes wrote it.
 */
export function createLogger(
  level: LogLevel,
  onDropped: () => void,
  sink: LogSink = openStderr(onDropped),
  worker?: string,
): Logger {
  const base = worker === undefined ? null : { worker }
  const stream = { write: (line: string) => sink.write(toSafeJson(line)) }
  return pino({ level, base, timestamp: () => `,"time":"${new Date().toISOString()}"` }, stream)
}

function openStderr(onDropped: () => void): LogSink {
  const destination = pino.destination({ dest: stderrFd, sync: false, maxLength: maxBufferedBytes })
  destination.on('drop', onDropped)
  return destination
}

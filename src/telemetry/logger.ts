import { type Logger, pino } from 'pino'
import { toSafeJson } from '../base/text/json-line.ts'

export type { Logger } from 'pino'

/** The lowest level that is logged. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** The sink of log lines, such as `process.stderr`. */
export type LogSink = { write(line: string): unknown }

const stderrFd = 2
const maxBufferedBytes = 1024 * 1024

/**
 * The operator's log: JSON lines on stderr, because stdout is for the copy of the audit log. A slow reader loses lines,
 * each reported to `onDropped`, and never delays a decision. `worker` names the process in every line.
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

import { isFailure, type WithoutKind } from '../model/failure.ts'
import { type Fault, fault, isFault } from '../model/fault.ts'
import { isProblems, type Problems } from '../model/problems.ts'
import { explainFileError } from './file-error.ts'
import { type Polled, Poller, type PollNews } from './poller.ts'
import { readBytes, readOptional } from './read-bytes.ts'

/** File contents by path. A missing optional file has no entry. */
export type Contents = ReadonlyMap<string, Buffer>

/** The followed files, and how to parse them. */
export type FollowOptions<T> = {
  /** Required files. A missing file is a fault, never empty content. */
  readonly paths: readonly string[]
  readonly optional?: readonly string[]
  /** Names a file in problems, such as by its configuration key; by default its path. */
  readonly nameOf?: (path: string) => string
  /** Parses all files as one value, or returns all problems. A large value is parsed in turns of the event loop. */
  readonly parse: (contents: Contents) => T | Problems<string> | Promise<T | Problems<string>>
  readonly pollMs: number
  readonly onRead: (value: T) => void
  readonly onNews: (news: PollNews) => void
}

/** The reasons why files could not be read. They imply nothing about the content. */
type Unread = { readonly kind: 'unread'; readonly problems: readonly string[] }

type Followed = Pick<FollowOptions<unknown>, 'paths' | 'optional' | 'nameOf'>

const maxFileBytes = 64 * 1024 * 1024
// If a writer changes files faster than three readings, the next poll tries again.
const maxReadings = 3

/** Reads files, which must be valid at first, and follows them. */
export async function followFiles<T extends object & WithoutKind>(
  options: FollowOptions<T>,
): Promise<{ readonly kind: 'followed'; readonly files: FollowedFiles<T> } | Problems<string>> {
  const contents = await readSettled(options)
  if (isFailure(contents)) return { ...contents, kind: 'problems' }
  const value = await options.parse(contents)
  if (isRefusedContent(value)) return value
  options.onRead(value)
  return { kind: 'followed', files: new FollowedFiles(options, contents, value) }
}

/**
 * Reads files at every poll, through symbolic links, because Kubernetes swaps links. It compares bytes: time stamps can
 * be unchanged although the content changed. After a failed reading there are no bytes to compare with.
 */
export class FollowedFiles<T extends object & WithoutKind> implements AsyncDisposable {
  readonly poller: Poller
  readonly #options: FollowOptions<T>
  /** The last parsed content, in force or refused. */
  #parsed: Contents
  #current: T

  constructor(options: FollowOptions<T>, contents: Contents, value: T) {
    this.#options = options
    this.#parsed = contents
    this.#current = value
    this.poller = new Poller({
      poll: () => this.#poll(),
      everyMs: options.pollMs,
      onNews: options.onNews,
    })
    this.poller.start()
  }

  /** The value of the last valid content. */
  get current(): T {
    return this.#current
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.poller[Symbol.asyncDispose]()
  }

  async #poll(): Promise<Polled> {
    const contents = await readSettled(this.#options, this.#parsed)
    if (isFailure(contents)) return { faults: contents.problems, refusals: 'unchanged' }
    if (isSame(contents, this.#parsed)) return { faults: [], refusals: 'unchanged' }
    const value = await this.#options.parse(contents)
    if (!isRefusedContent(value)) {
      this.#current = value
      this.#options.onRead(value)
    }
    // INVARIANT: last, so that the next poll parses the content again if anything before this line throws.
    this.#parsed = contents
    return { faults: [], refusals: isRefusedContent(value) ? value.problems : [] }
  }
}

/**
 * Reads all files. Files that differ from `known` are read until two readings agree, so that half of a change is never
 * used.
 */
async function readSettled(files: Followed, known?: Contents): Promise<Contents | Unread> {
  let before = known
  for (let reading = 0; reading <= maxReadings; reading++) {
    const contents = await readAll(files)
    if (isFailure(contents) || (before !== undefined && isSame(contents, before))) return contents
    before = contents
  }
  return unread([`${files.paths.join(', ')}: changed again and again while it was read`])
}

async function readAll({ paths, optional = [], nameOf = String }: Followed): Promise<Contents | Unread> {
  const readings = [...paths, ...optional].map(async (path) => {
    return [path, await readOne(path, nameOf(path), optional.includes(path))] as const
  })
  const contents = new Map<string, Buffer>()
  const problems: string[] = []
  for (const [path, read] of await Promise.all(readings)) {
    if (isFault(read)) problems.push(read.reason)
    else if (read !== undefined) contents.set(path, read)
  }
  return problems.length > 0 ? unread(problems) : contents
}

async function readOne(path: string, name: string, isOptional: boolean): Promise<Buffer | Fault | undefined> {
  try {
    const read = isOptional ? await readOptional(path, maxFileBytes) : await readBytes(path, maxFileBytes)
    if (!isFailure(read)) return read
    const found = read.kind === 'too-large' ? `${read.bytes} bytes` : 'something else'
    return fault(`${name}: expected a regular file of at most ${maxFileBytes} bytes, found ${found}`)
  } catch (cause) {
    return fault(`${name}: cannot be read: ${explainFileError(path, cause)}`)
  }
}

function isSame(one: Contents, other: Contents): boolean {
  return one.size === other.size && [...one].every(([path, bytes]) => other.get(path)?.equals(bytes) === true)
}

/** The guard for a content of any type. */
function isRefusedContent<T extends WithoutKind>(value: T | Problems<string>): value is Problems<string> {
  return isProblems(value)
}

function unread(problems: readonly string[]): Unread {
  return { kind: 'unread', problems }
}

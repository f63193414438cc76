import { type Fault, fault } from '../model/fault.ts'
import { explainFileError } from './file-error.ts'
import { type Polled, Poller, type PollNews } from './poller.ts'
import { readBytes, readOptional } from './read-bytes.ts'

/** Why the content of files cannot be used, problem by problem. */
export type Refusal = { readonly kind: 'refusal'; readonly problems: readonly string[] }

/** The content of files by path; an optional file that does not exist has no entry. */
export type Contents = ReadonlyMap<string, Buffer>

/** Which files are followed, and what they mean. */
export type FollowOptions<T> = {
  /** Files that must be there: one that is gone is a fault, never an empty one. */
  readonly paths: readonly string[]
  readonly optional?: readonly string[]
  /** How problems name a file, such as with the key of the configuration that says where it is; else by its path. */
  readonly nameOf?: (path: string) => string
  /** Reads all of them as one value, or says everything that is wrong with them; a large one in turns of the event loop. */
  readonly parse: (contents: Contents) => T | Refusal | Promise<T | Refusal>
  readonly pollMs: number
  readonly onRead: (value: T) => void
  readonly onNews: (news: PollNews) => void
}

/** Why files could not be read; this says nothing about their content. */
type Unread = { readonly kind: 'unread'; readonly problems: readonly string[] }

type Followed = Pick<FollowOptions<unknown>, 'paths' | 'optional' | 'nameOf'>

const maxFileBytes = 64 * 1024 * 1024
// A writer that is faster than three readings gets until the next poll.
const maxReadings = 3

/** Reads files that must be good to begin with, and follows them. */
export async function followFiles<T extends object>(
  options: FollowOptions<T>,
): Promise<{ readonly kind: 'followed'; readonly files: FollowedFiles<T> } | Refusal> {
  const contents = await readSettled(options)
  if (isUnread(contents)) return { kind: 'refusal', problems: contents.problems }
  const value = await options.parse(contents)
  if (isRefusal(value)) return value
  options.onRead(value)
  return { kind: 'followed', files: new FollowedFiles(options, contents, value) }
}

/**
 * Files that are read at every poll, through symbolic links, as Kubernetes swaps them. Their bytes are compared, because a
 * time stamp can say that a file is unchanged when it is not, and a failed reading leaves no bytes to compare with.
 */
export class FollowedFiles<T extends object> implements AsyncDisposable {
  readonly poller: Poller
  readonly #options: FollowOptions<T>
  /** The content that was parsed last, whether it is in force or refused. */
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

  /** What the files said when they were last good. */
  get current(): T {
    return this.#current
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.poller[Symbol.asyncDispose]()
  }

  async #poll(): Promise<Polled> {
    const contents = await readSettled(this.#options, this.#parsed)
    if (isUnread(contents)) return { faults: contents.problems, refusals: 'unchanged' }
    if (isSame(contents, this.#parsed)) return { faults: [], refusals: 'unchanged' }
    const value = await this.#options.parse(contents)
    if (!isRefusal(value)) {
      this.#current = value
      this.#options.onRead(value)
    }
    // INVARIANT: last, so that the next poll parses the content again if anything before this line throws.
    this.#parsed = contents
    return { faults: [], refusals: isRefusal(value) ? value.problems : [] }
  }
}

/** Reads all files. What differs from `known` is read until two readings agree: half of a change must not count. */
async function readSettled(files: Followed, known?: Contents): Promise<Contents | Unread> {
  let before = known
  for (let reading = 0; reading <= maxReadings; reading++) {
    const contents = await readAll(files)
    if (isUnread(contents) || (before !== undefined && isSame(contents, before))) return contents
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
    if (Buffer.isBuffer(read)) contents.set(path, read)
    else if (read !== undefined) problems.push(read.reason)
  }
  return problems.length > 0 ? unread(problems) : contents
}

async function readOne(path: string, name: string, isOptional: boolean): Promise<Buffer | Fault | undefined> {
  try {
    const read = isOptional ? await readOptional(path, maxFileBytes) : await readBytes(path, maxFileBytes)
    if (read === undefined || Buffer.isBuffer(read)) return read
    const found = read.kind === 'too-large' ? `${read.bytes} bytes` : 'something else'
    return fault(`${name}: expected a regular file of at most ${maxFileBytes} bytes, found ${found}`)
  } catch (cause) {
    return fault(`${name}: cannot be read: ${explainFileError(path, cause)}`)
  }
}

function isSame(one: Contents, other: Contents): boolean {
  return one.size === other.size && [...one].every(([path, bytes]) => other.get(path)?.equals(bytes) === true)
}

function unread(problems: readonly string[]): Unread {
  return { kind: 'unread', problems }
}

function isUnread(value: Contents | Unread): value is Unread {
  return 'kind' in value
}

function isRefusal(value: object): value is Refusal {
  return 'kind' in value && value.kind === 'refusal'
}

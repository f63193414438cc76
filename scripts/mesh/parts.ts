/** Parts of something that has a lifetime. They end in the opposite order of their beginnings. */
export class Parts implements AsyncDisposable {
  readonly #ends: (() => Promise<void>)[] = []

  /** Adds a part and returns it. */
  use<T extends AsyncDisposable>(part: T): T {
    this.defer(async () => part[Symbol.asyncDispose]())
    return part
  }

  /** Adds what is to be done at the end. */
  defer(end: () => Promise<void> | void): void {
    this.#ends.push(async () => end())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends.reverse()) await end()
  }
}

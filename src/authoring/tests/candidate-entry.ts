const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

/** Where a thread begins that proves a candidate, its own tests included. */
export const candidateEntry: URL = new URL(`./candidate-worker.${extension}`, import.meta.url)

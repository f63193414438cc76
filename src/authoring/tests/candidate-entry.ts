const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

/** The entry of the thread that proves a candidate, including its own tests. */
export const candidateEntry: URL = new URL(`./candidate-worker.${extension}`, import.meta.url)

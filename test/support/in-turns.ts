/** Runs `work` so many times, a few at once, and returns what came of each. */
export async function inTurns<Result>(
  times: number,
  atOnce: number,
  work: (index: number) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < times) results.push(await work(next++))
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}

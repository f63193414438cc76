/** A line through points: how much it rises for each step, and how uncertain that is. */
export type Trend = { readonly slope: number; readonly standardError: number }

/** Least squares. */
export function trendOf(points: readonly (readonly [x: number, y: number])[]): Trend {
  const count = points.length
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread
  const residue = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0)
  return { slope, standardError: Math.sqrt(residue / (count - 2) / spread) }
}

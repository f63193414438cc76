/** One bar; ours are coloured. */
export type Bar = { readonly label: string; readonly value: number; readonly isOurs: boolean }

const width = 760
const labelWidth = 220
const valueWidth = 110
const rowHeight = 28
const top = 44

/** Horizontal bars as an SVG that stands alone; `unit` is written after each value. */
export function toBarChart(title: string, unit: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ value }) => value))
  const height = top + bars.length * rowHeight + 10
  const rows = bars.map(({ label, value, isOurs }, index) => {
    const y = top + index * rowHeight
    const length = Math.max(1, (value / most) * (width - labelWidth - valueWidth))
    return [
      `<text x="${labelWidth - 10}" y="${y + 15}" text-anchor="end">${toXml(label)}</text>`,
      `<rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="20" rx="2" fill="${isOurs ? '#0b7285' : '#adb5bd'}"/>`,
      `<text x="${(labelWidth + length + 8).toFixed(1)}" y="${y + 15}">${toText(value)} ${toXml(unit)}</text>`,
    ].join('\n')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13" fill="#212529" role="img" aria-label="${toXml(title)}">
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="16" y="26" font-size="15" font-weight="600">${toXml(title)}</text>
${rows.join('\n')}
</svg>
`
}

function toText(value: number): string {
  return value < 100 ? Number(value.toPrecision(2)).toString() : Math.round(value).toLocaleString('en')
}

function toXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

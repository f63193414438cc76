import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

const browsers = ['chromium', 'chromium-browser', 'google-chrome'] as const

/** Photographs a page as a person sees it; `false`, with a word on what to install, when there is no browser. */
export function takePicture(url: string, file: string, scratch: string): boolean {
  const browser = browsers.find((name) => spawnSync(name, ['--version']).status === 0)
  if (browser === undefined) {
    console.log('no picture: install Chromium (Debian: `apt-get install chromium`) and run this again')
    return false
  }
  mkdirSync(dirname(file), { recursive: true })
  rmSync(file, { force: true })
  const profile = join(scratch, 'browser')
  const { status } = spawnSync(
    browser,
    [
      '--headless=new',
      // Containers have no user namespaces for it, and it sees our own pages alone.
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      '--force-prefers-reduced-motion',
      `--user-data-dir=${profile}`,
      '--window-size=1400,1000',
      // Virtual time: how long the page's scripts believe to have had.
      '--virtual-time-budget=40000',
      `--screenshot=${file}`,
      url,
    ],
    { timeout: 120_000 },
  )
  if (status !== 0) throw new Error(`${browser} could not photograph ${url}`)
  return true
}

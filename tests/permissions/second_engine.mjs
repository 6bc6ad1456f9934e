// Judge simulations with @cloud-copilot/iam-simulate: a JSON array on stdin, a JSON array of verdicts on stdout.
// A tool beside the tests: it is licensed AGPL-3.0-or-later, neither shipped nor imported by them, and installed by
// hand. Run by record_verdicts.py in the directory where npm installed it.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const { runSimulation } = createRequire(join(process.cwd(), 'package.json'))('@cloud-copilot/iam-simulate')
const verdicts = []
for (const simulation of JSON.parse(readFileSync(0, 'utf8'))) {
  const told = await runSimulation(simulation, {})
  verdicts.push(told.resultType === 'error' ? { error: told.errors } : { allowed: told.overallResult === 'Allowed' })
}
process.stdout.write(JSON.stringify(verdicts))

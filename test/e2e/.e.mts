import { startHospital } from '../../demo/hospital.ts'
import { clerk } from '../../demo/idp.ts'
import { warmUp } from '../../demo/scenario.ts'
import { mintChain } from '../support/hospital-chain.ts'
import { inTurns } from '../support/in-turns.ts'
import { readFileSync } from 'node:fs'
await using h = await startHospital({})
await warmUp(h)
const chain = await mintChain(h, clerk, ['agent-a'], 'agent-d')
const mesh = h.meshOf('agent-d')
import { execSync } from 'node:child_process'
const pids = execSync('ps -eo pid,args').toString().split('\n').filter(l=>l.includes(h.directory)||l.includes('demo/services/insurance')).map(l=>l.trim().split(' ')).map(([p,...a])=>[p,a.join(' ').slice(-60)])
const cpu = () => pids.map(([p,a]) => { const s=readFileSync(`/proc/${p}/stat`,'utf8').split(' '); return [a, (Number(s[13])+Number(s[14]))*10] as const })
for (let round=0; round<3; round++) {
const b = cpu(), c0 = process.cpuUsage(), t=performance.now()
const N=1000
const r = await inTurns(N, 8, () => mesh({to:'insurance',method:'GET',path:'/coverage/p-7',headers:{'actor-chain':chain}}))
const e = cpu(), c1=process.cpuUsage(c0)
console.log('wall', performance.now()-t, 'bad', r.filter(x=>x.status!==200).length, 'client cpu ms/req', (c1.user+c1.system)/1000/N)
e.forEach(([a, v], i) => console.log(a, (v-b[i]![1])/N, 'ms/req'))
}

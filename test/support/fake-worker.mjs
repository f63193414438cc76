// Stands in for a worker. The configuration's text tells each worker, by its number, how to behave.
const behaviours = {
  serves: () => open(true),
  cannotDecide: () => open(false),
  reports: () => openAndReport(true),
  reportsThatItCannotDecide: () => openAndReport(false),
  neverOpens: () => {},
  failsToStart: () => process.exit(1),
  isKilledAtStart: () => process.kill(process.pid, 'SIGKILL'),
  cannotDecideForWhomItHolds: () => {
    takes = () => process.send({ kind: 'accepted' })
    open(false)
  },
  takesNothing: () => {
    takes = () => {}
    open(true)
  },
  drainsUntilAskedOnceMore: () => {
    drains = () => {
      takes = (socket) => socket.end(String(number), () => process.exit(0))
    }
    open(true)
  },
}
let drains = () => process.exit(0)
let takes = (socket) => {
  process.send({ kind: 'accepted' })
  socket.on('close', () => process.send({ kind: 'closed' }))
  socket.end(String(number))
}
let number

/** A slow machine can take longer to open the next worker than a worker may be silent. */
function openAndReport(ready) {
  open(ready)
  setInterval(() => report(ready), 500)
}

function open(ready) {
  report(ready)
  process.send({ kind: 'opened', log: `worker-${number}/log-${process.pid}` })
  process.stdout.write(`opened ${number}\n`)
}

function report(ready) {
  process.send({ kind: 'state', readiness: { ready, reasons: [], notices: [] }, jwks: { keys: [] } })
}

process.on('message', (order, socket) => {
  if (order.kind === 'open') {
    number = order.worker
    behaviours[order.text.split(' ')[number - 1]]()
  } else if (order.kind === 'connection') takes(socket)
  else if (order.kind === 'measure') process.send({ kind: 'measured', text: `metrics of ${number}` })
  else if (order.kind === 'drain') drains()
  else if (order.kind === 'logs') process.stdout.write(`${number} names ${order.logs}\n`)
  else process.exit(0)
})

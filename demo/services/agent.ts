// An agent: it does what it is told, whatever that is, and forwards one header. All agents of the hospital are this one.
import { header, outbound, serve } from './serve.ts'
import { chainHeader, performTask, type Task } from './task.ts'

const mesh = outbound()

serve(async (request, body) => {
  if (request.method !== 'POST' || request.url !== '/tasks') return { status: 404, body: '{}' }
  const task = JSON.parse(body) as Task
  const results = await performTask(task, header(request, chainHeader), mesh(task.lane))
  return { status: 200, body: JSON.stringify({ results }) }
})

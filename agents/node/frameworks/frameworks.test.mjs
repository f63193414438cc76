import { deepStrictEqual, strictEqual } from 'node:assert'
import { test } from 'node:test'
import { Metadata, Server, ServerCredentials } from '@grpc/grpc-js'
import { AIMessage } from '@langchain/core/messages'
import { FakeListChatModel } from '@langchain/core/utils/testing'
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import express from 'express'
import { Agent, interceptors, request } from 'undici'
import { currentChain, runWithChain } from 'waywarden-agent'
import { chain } from './chain.mjs'
import { coverage as coverageByFetch } from './recipe-fetch.mjs'
import { connect as connectGrpc } from './recipe-grpc.mjs'
import { coverage as coverageByHttp } from './recipe-http.mjs'
import { tools } from './recipe-langgraph.mjs'
import { connect as connectMcp } from './recipe-mcp.mjs'
import { asTwoUsers, calls, serve, startUpstream } from './support.mjs'

const byHttp = (url) =>
  new Promise((resolve, reject) => {
    coverageByHttp(url, async (response) => resolve((await response.toArray()).join(''))).on('error', reject)
  })

test('express and fetch', async (t) => {
  const { listed, unlisted, seen, close } = await startUpstream()
  t.after(close)
  const app = express()
  app.use(chain.middleware)
  app.use(express.json())
  app.post('/', async (_request, response) => {
    const urls = [listed, listed, `${listed}?to=${unlisted}`, `${unlisted}?to=${listed}`, unlisted]
    response.json(await Promise.all(urls.map(coverageByFetch)))
  })
  const agent = await serve(app)
  t.after(agent.close)
  await asTwoUsers(calls / 5, async (user) => {
    const answer = await fetch(agent.listed, {
      method: 'POST',
      headers: { 'actor-chain': user, 'content-type': 'application/json' },
      body: '{}',
    })
    deepStrictEqual(await answer.json(), [user, user, 'none', user, 'none'])
  })
  strictEqual(seen.leaked, 0)
})

test('node:http', async (t) => {
  const { listed, unlisted, seen, close } = await startUpstream()
  t.after(close)
  await asTwoUsers(calls / 2, async (user) => {
    deepStrictEqual(await Promise.all([byHttp(listed), byHttp(unlisted)]), [user, 'none'])
  })
  deepStrictEqual(seen, { total: calls, leaked: 0 })
})

test('undici with a redirect between two of our interceptors', async (t) => {
  const { listed, unlisted, seen, close } = await startUpstream()
  const { interceptor } = chain
  const redirect = interceptors.redirect({ maxRedirections: 3 })
  const dispatcher = new Agent({ connections: 4 }).compose(interceptor, redirect, interceptor)
  t.after(() => {
    close()
    return dispatcher.close()
  })
  const get = async (url) => (await request(url, { dispatcher })).body.text()
  await asTwoUsers(calls / 4, async (user) => {
    const urls = [listed, `${listed}?to=${unlisted}`, `${unlisted}?to=${listed}`, unlisted]
    deepStrictEqual(await Promise.all(urls.map(get)), [user, 'none', user, 'none'])
  })
  strictEqual(seen.leaked, 0)
})

test('LangGraph', async (t) => {
  const { listed, unlisted, seen, close } = await startUpstream()
  t.after(close)
  const toolCalls = [listed, listed, listed, unlisted].map((url, index) => ({
    name: 'coverage',
    args: { url },
    id: String(index),
  }))
  const model = async () => {
    await new FakeListChatModel({ responses: ['thinking'] }).invoke('go')
    return { messages: [new AIMessage({ content: '', tool_calls: toolCalls })] }
  }
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('model', model)
    .addNode('tools', tools)
    .addEdge(START, 'model')
    .addEdge('model', 'tools')
    .addEdge('tools', END)
    .compile()
  await asTwoUsers(calls / 4, async (user) => {
    const { messages } = await graph.invoke({ messages: [] })
    deepStrictEqual(
      messages.filter((message) => message.getType() === 'tool').map((message) => message.content),
      [user, user, user, 'none'],
    )
  })
  deepStrictEqual(seen, { total: calls, leaked: 0 })
})

test('MCP client: one client for two users', async (t) => {
  const server = await serve(async (incoming, outgoing) => {
    const mcp = new McpServer({ name: 'insurance', version: '1.0.0' })
    mcp.registerTool('coverage', { description: 'who' }, ({ requestInfo }) => ({
      content: [{ type: 'text', text: requestInfo.headers['actor-chain'] ?? 'none' }],
    }))
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined })
    await mcp.connect(transport)
    await transport.handleRequest(incoming, outgoing)
  })
  t.after(server.close)
  const ask = async (client) => (await client.callTool({ name: 'coverage' })).content[0].text
  for (const [url, wanted] of [
    [server.listed, (user) => user],
    [server.unlisted, () => 'none'],
  ]) {
    const client = await runWithChain('opener', () => connectMcp(url))
    t.after(() => client.close())
    await asTwoUsers(calls / 2, async (user) => strictEqual(await ask(client), wanted(user)))
  }
})

test('gRPC', async (t) => {
  const server = new Server()
  const toBytes = (text) => Buffer.from(text)
  const fromBytes = (bytes) => bytes.toString()
  const path = '/Insurance/Coverage'
  const service = {
    coverage: {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: toBytes,
      requestDeserialize: fromBytes,
      responseSerialize: toBytes,
      responseDeserialize: fromBytes,
    },
  }
  server.addService(service, {
    coverage: (call, done) => done(null, call.metadata.get('actor-chain').join() || 'none'),
  })
  const port = await new Promise((resolve, reject) => {
    const loopback = ServerCredentials.createInsecure()
    server.bindAsync('127.0.0.1:0', loopback, (error, bound) => (error ? reject(error) : resolve(bound)))
  })
  t.after(() => server.forceShutdown())
  for (const host of ['127.0.0.1', 'localhost']) {
    const client = connectGrpc(`${host}:${port}`)
    t.after(() => client.close())
    const ask = () =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(path, toBytes, fromBytes, 'p-7', new Metadata(), (error, answer) =>
          error ? reject(error) : resolve(answer),
        )
      })
    await asTwoUsers(calls / 2, async (user) =>
      strictEqual(await ask(), host === 'localhost' ? 'none' : user),
    )
  }
})

test('the global fetch, with our interceptor set for the whole process', async (t) => {
  const { listed, unlisted, seen, close } = await startUpstream()
  t.after(close)
  await import('./recipe-undici.mjs')
  const get = async (url) => (await fetch(url)).text()
  await asTwoUsers(calls / 4, async (user) => {
    const urls = [listed, `${listed}?to=${unlisted}`, `${unlisted}?to=${listed}`, unlisted]
    deepStrictEqual(await Promise.all(urls.map(get)), [user, 'none', user, 'none'])
    strictEqual(currentChain(), user)
  })
  strictEqual(seen.leaked, 0)
})

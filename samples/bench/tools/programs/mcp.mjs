// MCP by its own SDK, over streamable HTTP with sessions:
//   mcp.mjs serve NAME       a server on a free port of 127.0.0.1; prints `ready URL`. It has the tools that the conformance suite calls, and answers requests of a session that it doesn't know with 404
//   mcp.mjs check URL KIND   many sessions at two servers behind URL, of which it kills one; KIND is header or cookie: by what sessions are told apart. A line for each check
import { randomUUID } from "node:crypto";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { McpServer, ResourceTemplate } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { createMcpExpressApp } from "@modelcontextprotocol/sdk/server/express.js";
import { CreateMessageResultSchema, ElicitResultSchema, LoggingMessageNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const text = (said) => ({ content: [{ type: "text", text: said }] });

// ---- the server

let cancelled = 0;
function server(name) {
  const mcp = new McpServer({ name: "bench", version: "1" }, { capabilities: { logging: {}, tools: {}, resources: {}, prompts: {} } });
  mcp.registerTool("where", { description: "Which server" }, async () => text(`${name} ${process.pid} ${cancelled}`));
  mcp.registerTool("announce", { description: "Says so on the session's own stream" }, async () => {
    await mcp.server.sendLoggingMessage({ level: "info", data: `from ${name}` });
    return text("announced");
  });
  mcp.registerTool("work", { description: "Takes its time", inputSchema: { steps: z.number() } }, async ({ steps }, extra) => {
    for (let step = 1; step <= steps; step++) {
      await pause(100);
      if (extra.signal.aborted) {
        cancelled++;
        return text("cancelled");
      }
      const progressToken = extra._meta?.progressToken;
      if (progressToken !== undefined) await extra.sendNotification({ method: "notifications/progress", params: { progressToken, progress: step, total: steps } });
    }
    return text(`${name} ${steps}`);
  });
  // those of the conformance suite
  const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  mcp.registerTool("test_simple_text", { description: "Text" }, async () => text("This is a simple text response for testing."));
  mcp.registerTool("test_image_content", { description: "An image" }, async () => ({ content: [{ type: "image", data: pixel, mimeType: "image/png" }] }));
  mcp.registerTool("test_error_handling", { description: "Fails" }, async () => {
    throw new Error("This tool intentionally returns an error for testing");
  });
  mcp.registerTool("test_tool_with_logging", { description: "Logs" }, async (extra) => {
    for (const data of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
      await extra.sendNotification({ method: "notifications/message", params: { level: "info", data } });
      await pause(50);
    }
    return text("Tool with logging executed successfully");
  });
  mcp.registerTool("test_tool_with_progress", { description: "Says how far it is" }, async (extra) => {
    const progressToken = extra._meta?.progressToken ?? 0;
    for (const progress of [0, 50, 100]) {
      await extra.sendNotification({ method: "notifications/progress", params: { progressToken, progress, total: 100 } });
      await pause(50);
    }
    return text(String(progressToken));
  });
  mcp.registerTool("test_sampling", { description: "Asks the client's model", inputSchema: { prompt: z.string() } }, async ({ prompt }, extra) => {
    const params = { messages: [{ role: "user", content: { type: "text", text: prompt } }], maxTokens: 100 };
    const answer = await extra.sendRequest({ method: "sampling/createMessage", params }, CreateMessageResultSchema);
    return text(`LLM response: ${answer.content.text}`);
  });
  mcp.registerTool("test_elicitation", { description: "Asks the user", inputSchema: { message: z.string() } }, async ({ message }, extra) => {
    const requestedSchema = { type: "object", properties: { username: { type: "string" }, email: { type: "string" } }, required: ["username", "email"] };
    const answer = await extra.sendRequest({ method: "elicitation/create", params: { message, requestedSchema } }, ElicitResultSchema);
    return text(`User response: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`);
  });
  mcp.registerResource("text", "test://static-text", { mimeType: "text/plain" }, async (uri) => ({ contents: [{ uri: uri.href, mimeType: "text/plain", text: "text" }] }));
  mcp.registerResource("binary", "test://static-binary", { mimeType: "image/png" }, async (uri) => ({ contents: [{ uri: uri.href, mimeType: "image/png", blob: pixel }] }));
  mcp.registerResource("template", new ResourceTemplate("test://template/{id}/data", { list: undefined }), { mimeType: "application/json" }, async (uri, { id }) => ({
    contents: [{ uri: uri.href, mimeType: "application/json", text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }],
  }));
  mcp.registerPrompt("test_simple_prompt", { description: "A prompt" }, async () => ({ messages: [{ role: "user", content: { type: "text", text: "A prompt" } }] }));
  mcp.registerPrompt("test_prompt_with_arguments", { description: "One with arguments", argsSchema: { arg1: z.string(), arg2: z.string() } }, async ({ arg1, arg2 }) => ({
    messages: [{ role: "user", content: { type: "text", text: `arg1='${arg1}', arg2='${arg2}'` } }],
  }));
  return mcp;
}

function serve(name) {
  const app = createMcpExpressApp();
  const sessions = new Map();
  const failed = (response, status, message) => response.status(status).json({ jsonrpc: "2.0", error: { code: -32000, message }, id: null });
  app.all("/mcp", async (request, response) => {
    const id = request.headers["mcp-session-id"];
    let transport = sessions.get(id);
    if (id && !transport) return failed(response, 404, "Session not found");
    if (!transport) {
      if (request.method !== "POST" || request.body?.method !== "initialize") return failed(response, 400, "No session");
      transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized: (given) => sessions.set(given, transport) });
      transport.onclose = () => sessions.delete(transport.sessionId);
      await server(name).connect(transport);
    }
    await transport.handleRequest(request, response, request.body);
  });
  const listening = app.listen(0, "127.0.0.1", () => console.log(`ready http://127.0.0.1:${listening.address().port}/`));
}

// ---- the client

class Session {
  constructor(url, kind) {
    this.url = url;
    this.kind = kind;
    this.heard = [];
  }
  async connect() {
    let cookie;
    const jar = async (input, init) => {
      const headers = new Headers(init?.headers);
      if (cookie) headers.set("Cookie", cookie);
      const response = await fetch(input, { ...init, headers });
      for (const set of response.headers.getSetCookie()) if (set.startsWith("SERVER=")) cookie = set.split(";")[0];
      return response;
    };
    this.client = new Client({ name: "bench", version: "1" });
    this.client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => this.heard.push(params.data));
    this.transport = new StreamableHTTPClientTransport(new URL("mcp", this.url), this.kind === "cookie" ? { fetch: jar } : {});
    await this.client.connect(this.transport);
    [this.name, this.pid] = await this.where();
    return this;
  }
  async call(name, args = {}, options) {
    return (await this.client.callTool({ name, arguments: args }, undefined, options)).content[0].text;
  }
  async where() {
    return (await this.call("where")).split(" ");
  }
}

async function say(name, check) {
  try {
    const wrong = await check();
    console.log(name, wrong || "ok");
  } catch (failure) {
    console.log(name, String(failure.message).replaceAll("\n", " "));
  }
}
const all = (sessions, does) => Promise.all(sessions.map(does));
const until = async (holds, what) => {
  for (let i = 0; i < 100; i++) {
    if (await holds()) return "";
    await pause(50);
  }
  return what;
};

async function check(url, kind) {
  const sessions = await all([...Array(40)], () => new Session(url, kind).connect());
  const of = (name) => sessions.filter((session) => session.name === name);
  const names = [...new Set(sessions.map((session) => session.name))];
  await say("both-have-sessions", () => names.length === 2 ? "" : `all at ${names}`);
  await say("sessions-stay", async () => {
    const moved = await all(sessions, async (session) => {
      for (let i = 0; i < 25; i++) if ((await session.where())[0] !== session.name) return true;
      return false;
    });
    const count = moved.filter(Boolean).length;
    return count ? `${count} have moved` : "";
  });
  await say("own-streams", async () => {
    // the stream is opened by the client some time after the session
    await all(sessions, (session) => until(async () => { await session.call("announce"); return session.heard.length; }));
    const wrong = sessions.filter((session) => !session.heard.length || session.heard.some((said) => said !== `from ${session.name}`)).length;
    return wrong ? `${wrong} have not heard of their server` : "";
  });
  await say("progress", async () => {
    const steps = [];
    const said = await sessions[0].call("work", { steps: 10 }, { onprogress: () => steps.push(Date.now()) });
    const spread = steps.at(-1) - steps[0];
    return said === `${sessions[0].name} 10` && steps.length === 10 && spread > 600 ? "" : `${said}, ${steps.length} steps within ${spread} ms`;
  });
  await say("cancel", async () => {
    const session = sessions[1];
    const before = +(await session.where())[2];
    const leave = new AbortController();
    const call = session.call("work", { steps: 200 }, { signal: leave.signal, onprogress: () => leave.abort("enough"), timeout: 60_000 }).then(() => "not cancelled", () => "");
    return (await call) || until(async () => +(await session.where())[2] > before, "its server was not told");
  });
  const [gone, left] = [sessions[0].name, names.find((name) => name !== sessions[0].name)];
  const long = of(left).slice(0, 5).map((session) => session.call("work", { steps: 20 }, { onprogress: () => {} }));
  process.kill(+sessions[0].pid, "SIGKILL");
  await say("others-unharmed", async () => {
    await all(of(left), async (session) => {
      for (let i = 0; i < 25; i++) if ((await session.where())[0] !== left) throw new Error("moved");
    });
    const said = await Promise.all(long);
    return said.every((answer) => answer === `${left} 20`) ? "" : said.join();
  });
  await say("lost-ones-get-404", async () => {
    const codes = await all(of(gone), (session) => session.where().then(() => "none", (failure) => failure.code ?? failure.message));
    return codes.every((code) => code === 404) ? "" : codes.join();
  });
  await say("lost-ones-start-anew", async () => {
    const anew = await all(of(gone), () => new Session(url, kind).connect());
    return anew.every((session) => session.name === left) ? "" : anew.map((session) => session.name).join();
  });
  await say("sessions-end", async () => {
    await all(of(left), (session) => session.transport.terminateSession());
    const codes = await all(of(left), (session) => session.where().then(() => "none", (failure) => failure.code ?? failure.message));
    return codes.every((code) => code === 404 || code === 400) ? "" : codes.join();
  });
  process.exit(0);
}

if (process.argv[2] === "serve") serve(process.argv[3]);
else await check(process.argv[3], process.argv[4]);

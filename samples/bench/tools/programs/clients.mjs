// Programs on Node behind a proxy: `clients.mjs NAME URL [more]`, with NODE_EXTRA_CA_CERTS set; fails unless what came through is what was sent.
import assert from 'node:assert';
import fs from 'node:fs';
import http from 'node:http';
import {createRequire} from 'node:module';
import {setTimeout as pause} from 'node:timers/promises';

const load = createRequire(process.cwd() + '/');
const body = Buffer.alloc(3_000_000, 'x');
const authorization = 'Basic ' + Buffer.from('user:secret').toString('base64');

const programs = {
  async fetch(url) {
    const refused = await fetch(url + 'upload', {method: 'POST', body: Buffer.alloc(9_000_000)});
    assert.equal(refused.status, 401);
    await refused.text();
    for (let i = 0; i < 20; i++) {
      assert.equal((await (await fetch(url + 'api/hello', {headers: {authorization}})).json()).message, 'hello');
    }
    const download = await fetch(url + 'download/a?size=3000000', {headers: {authorization}});
    assert.equal((await download.arrayBuffer()).byteLength, 3_000_000);
    const upload = await fetch(url + 'upload', {method: 'POST', body, headers: {authorization}});
    assert.equal((await upload.json()).bytes, body.length);
    const stream = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 30; i++) controller.enqueue(body.subarray(0, 100_000));
        controller.close();
      },
    });
    const chunked = await fetch(url + 'upload', {method: 'POST', body: stream, duplex: 'half', headers: {authorization}});
    assert.equal((await chunked.json()).bytes, 3_000_000);
  },

  async openai(url, gone) {
    const OpenAI = load('openai').default;
    const lines = () => (fs.existsSync(gone) ? fs.readFileSync(gone, 'ascii').trim().split('\n').filter(Boolean) : []);
    const before = lines().length;
    const client = new OpenAI({baseURL: url + 'v1', apiKey: 'key'});
    const stream = await client.chat.completions.create({model: 'm', messages: [{role: 'user', content: '?'}], stream: true});
    let words = 0;
    for await (const chunk of stream) {
      if (++words === 5) break; // leaving the loop aborts the request
    }
    const closed = Date.now();
    while (lines().length === before) {
      assert.ok(Date.now() - closed < 5000, 'the model was not told within 5 s that the client has left');
      await pause(10);
    }
    process.stdout.write(`the model noticed after ${Math.round(Number(lines().at(-1)) * 1000 - closed)} ms `);
  },

  // the server: not behind the proxy but the upstream
  'socketio-server'() {
    const {Server} = load('socket.io');
    const server = http.createServer();
    new Server(server).on('connection', (socket) => socket.on('ask', (text, answer) => answer(text + '!')));
    server.listen(0, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${server.address().port}/`));
  },

  async socketio(url) {
    const {io} = load('socket.io-client');
    for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
      const socket = io(url, {transports, forceNew: true});
      const answers = [];
      for (let i = 0; i < 20; i++) answers.push(await socket.timeout(10_000).emitWithAck('ask', 'a' + i));
      assert.deepEqual(answers, Array.from({length: 20}, (_, i) => `a${i}!`));
      if (transports.length === 2) {
        while (socket.io.engine.transport.name !== 'websocket') await pause(10);
        assert.equal(await socket.timeout(10_000).emitWithAck('ask', 'upgraded'), 'upgraded!');
      }
      socket.close();
    }
  },
};

const [name, ...rest] = process.argv.slice(2);
await programs[name](...rest);

// Opens a status page in Chromium, over its pipe for tools, in four forms: 1,280 and 360 pixels wide, light and dark. In each it takes a screenshot, runs axe-core, and looks for
// what must not be: another resource, a violation of the policy, an error of the script, a page wider than its window, markup of names that came from the server.
//
// Arguments: the page's URI, the file axe.min.js, a directory for the screenshots, and the program, such as chromium. The exit status is 1 if one of these is there.
import {spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const [page, axeFile, shots, program] = process.argv.slice(2);
const axe = readFileSync(axeFile, 'utf8');
const profile = mkdtempSync(join(tmpdir(), 'status-page-'));
const browser = spawn(program, [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--hide-scrollbars',
  '--disable-background-networking', '--disable-component-update', '--remote-debugging-pipe', '--user-data-dir=' + profile
], {stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe']});
const [, , , toBrowser, fromBrowser] = browser.stdio;

let failed = false, next = 1, rest = '';
const waiting = new Map(), listeners = [];
fromBrowser.setEncoding('utf8');
fromBrowser.on('data', chunk => {
  const messages = (rest + chunk).split('\0');
  rest = messages.pop();
  for (const message of messages.map(JSON.parse)) {
    const answer = waiting.get(message.id);
    if (!answer) listeners.forEach(listener => listener(message));
    else if (message.error) answer.reject(new Error(message.error.message));
    else answer.resolve(message.result);
    waiting.delete(message.id);
  }
});
let session;
function send(method, params = {}) {
  const id = next++;
  toBrowser.write(JSON.stringify({id, method, params, ...(session ? {sessionId: session} : {})}) + '\0');
  return new Promise((resolve, reject) => waiting.set(id, {resolve, reject}));
}

function check(what, right, found) {
  if (!right) failed = true;
  console.log(what + ': ' + (right ? 'ok' : 'FAILED') + (found === undefined ? '' : ' (' + found + ')'));
}
const pause = millis => new Promise(resolve => setTimeout(resolve, millis));

async function evaluate(expression) {
  const {result, exceptionDetails} = await send('Runtime.evaluate', {expression, awaitPromise: true, returnByValue: true});
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
}

async function until(expression) {
  for (let i = 0; i < 200; i++) {
    if (await evaluate(expression)) return;
    await pause(100);
  }
  throw new Error('never: ' + expression);
}

try {
  const {targetId} = await send('Target.createTarget', {url: 'about:blank'});
  ({sessionId: session} = await send('Target.attachToTarget', {targetId, flatten: true}));
  const elsewhere = new Set(), complaints = new Set();
  listeners.push(({method, params}) => {
    if (method === 'Network.requestWillBeSent' && !params.request.url.startsWith(page) && !/^(data|about):/.test(params.request.url)) elsewhere.add(params.request.url);
    if (method === 'Runtime.exceptionThrown') complaints.add(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === 'Log.entryAdded' && params.entry.level === 'error') complaints.add(params.entry.text);
  });
  for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await send(domain + '.enable');

  for (const width of [1280, 360]) {
    for (const scheme of ['light', 'dark']) {
      const form = width + ' ' + scheme;
      await send('Emulation.setDeviceMetricsOverride', {width, height: 900, deviceScaleFactor: width < 600 ? 2 : 1, mobile: width < 600});
      await send('Emulation.setEmulatedMedia', {features: [
        {name: 'prefers-color-scheme', value: scheme}, {name: 'prefers-reduced-motion', value: width < 600 ? 'reduce' : 'no-preference'}]});
      await send('Page.navigate', {url: page});
      await until("document.getElementById('live')?.dataset.live === 'on'");
      await pause(1500);
      const size = await evaluate('[document.documentElement.scrollWidth, innerWidth, document.documentElement.scrollHeight]');
      check(form + ', no wider than its window', size[0] <= size[1], size[0] + ' of ' + size[1]);
      if (width < 600) check(form + ', nothing moves when less motion is asked for', await evaluate('document.getAnimations().length') === 0);
      const {data} = await send('Page.captureScreenshot', {captureBeyondViewport: true, clip: {x: 0, y: 0, width, height: size[2], scale: 1}});
      writeFileSync(join(shots, `status-${width}-${scheme}.png`), Buffer.from(data, 'base64'));
      await evaluate(axe + '; 0');
      const {violations, passes} = await evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(r => ({passes: r.passes.length, violations: r.violations.map(v => v.id + ': ' + v.help + ' at ' + v.nodes.map(n => n.target).slice(0, 4).join(' '))}))");
      check(form + ', axe-core', violations.length === 0 && passes > 10, violations.length ? violations.join('; ') : passes + ' rules passed');
    }
  }

  const names = await evaluate("document.body.innerText.includes('<script>window.hacked=1</script>')");
  const scripts = await evaluate("document.scripts.length + ' ' + document.images.length + ' ' + String(window.hacked)");
  check('names that are markup are text', names && scripts === '1 0 undefined', scripts);
  const secret = await evaluate("document.body.innerText.includes('secret')");
  check('no query of a request is shown', !secret);
  const wanted = await evaluate("[...document.querySelectorAll('#problems li')].map(li => li.innerText.replace(/\\s+/g, ' ')).join(' | ')");
  check('what needs attention is said', /health check/.test(wanted) && /expires in/.test(wanted), wanted);
  const long = await evaluate("[...document.querySelectorAll('#classes tr')].map(tr => tr.innerText.replace(/\\s+/g, ' ')).find(t => t.includes('LONG'))");
  check('streams are in flight', Number((/[\d,]+/.exec(long)?.[0] ?? '0').replace(',', '')) >= Number(process.env.STREAMS ?? 1), long);

  await send('Emulation.setDeviceMetricsOverride', {width: 1280, height: 900, deviceScaleFactor: 1, mobile: false});
  const seen = [];
  for (let i = 0; i < 3; i++) {
    await send('Input.dispatchKeyEvent', {type: 'keyDown', key: 'Tab', code: 'Tab', windowsVirtualKeyCode: 9});
    await send('Input.dispatchKeyEvent', {type: 'keyUp', key: 'Tab', code: 'Tab', windowsVirtualKeyCode: 9});
    seen.push(await evaluate("document.activeElement.className || document.activeElement.id || document.activeElement.tagName"));
  }
  check('the keyboard reaches what can be used', seen[0] === 'skip' && seen[1] === 'pause', seen.join(', '));
  await evaluate("document.getElementById('pause').click()");
  await until("document.getElementById('liveWord').textContent === 'paused'");
  const before = await evaluate("document.getElementById('time').textContent");
  await pause(2500);
  check('a paused page stands still', before === await evaluate("document.getElementById('time').textContent"));
  await evaluate("document.getElementById('pause').click()");
  await until("document.getElementById('live').dataset.live === 'on'");
  check('nothing comes from elsewhere', elsewhere.size === 0, [...elsewhere].join(' ') || undefined);
  check('no error and no violation of the policy', complaints.size === 0, [...complaints].join('; ') || undefined);
} catch (e) {
  console.log('FAILED: ' + e.message);
  failed = true;
} finally {
  browser.kill();
  await new Promise(resolve => browser.exitCode === null && browser.signalCode === null ? browser.once('exit', resolve) : resolve());
  rmSync(profile, {recursive: true, force: true, maxRetries: 5});
}
process.exit(failed ? 1 : 0);

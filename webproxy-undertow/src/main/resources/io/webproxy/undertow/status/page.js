'use strict';
(() => {
  const SVG = 'http://www.w3.org/2000/svg';
  const byId = id => document.getElementById(id);
  const number = new Intl.NumberFormat('en');

  // ---- small tools; everything from the server becomes text, never markup ----

  /** Sets a text only if it differs, so that a selection and assistive technology aren't disturbed. */
  function say(node, text) {
    const next = String(text);
    if (node.textContent !== next) node.textContent = next;
    return node;
  }

  function make(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }

  function shape(tag, attributes) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  }

  function bytes(n) {
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    let value = n, unit = 0;
    while (value >= 1000 && unit < units.length - 1) { value /= 1000; unit++; }
    return [value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1), units[unit]];
  }

  function rate(n) {
    return n === 0 ? '0' : n < 10 ? n.toFixed(1) : number.format(Math.round(n));
  }

  function span(seconds) {
    const s = Math.max(0, seconds);
    if (s < 1) return Math.round(s * 1000) + ' ms';
    if (s < 60) return (s < 10 ? s.toFixed(1) : Math.round(s)) + ' s';
    if (s < 3600) return Math.floor(s / 60) + ' min ' + Math.floor(s % 60) + ' s';
    if (s < 172800) return Math.floor(s / 3600) + ' h ' + Math.floor(s % 3600 / 60) + ' min';
    return Math.floor(s / 86400) + ' days';
  }

  function millis(micros) {
    const ms = micros / 1000;
    return ms < 10 ? ms.toFixed(1) + ' ms' : ms < 10000 ? number.format(Math.round(ms)) + ' ms' : (ms / 1000).toFixed(1) + ' s';
  }

  const clock = iso => new Date(iso).toLocaleTimeString('en-GB');
  const moment = iso => {
    const at = new Date(iso);
    return at.toLocaleDateString('en-GB', {day: 'numeric', month: 'short', year: 'numeric'});
  };

  // ---- cells ----

  const text = (value, className = '') => ({
    key: 't' + value, className, empty: value === '' || value === null || value === undefined || value === '–',
    build: td => { td.textContent = value === null || value === undefined || value === '' ? '–' : value; }
  });
  const code = value => text(value, 'code');
  const count = value => text(number.format(value), 'n');

  function tag(level, word, more) {
    return {
      key: level + word + (more || ''), className: '', empty: false,
      build: td => {
        const outer = make('span', 'tag ' + level);
        const mark = make('span', 'mark');
        mark.setAttribute('aria-hidden', 'true');
        outer.append(mark, word);
        td.append(outer);
        if (more) td.append(make('div', 'dim', more));
      }
    };
  }

  function two(first, second, firstClass = '') {
    return {
      key: first + '\n' + (second || ''), className: '', empty: false,
      build: td => {
        td.append(make('div', firstClass, first));
        if (second) td.append(make('div', 'dim', second));
      }
    };
  }

  function path(values, most, width, height) {
    let line = '', open = false;
    values.forEach((value, i) => {
      if (value === null || value === undefined) { open = false; return; }
      const x = (i * width / (values.length - 1)).toFixed(1);
      const y = (height - value / most * height).toFixed(1);
      line += (open ? 'L' : 'M') + x + ' ' + y;
      // a point alone still shows
      if (!open) line += 'l0.1 0';
      open = true;
    });
    return line;
  }

  function spark(values) {
    const known = values.filter(value => value !== null);
    const last = known.length ? known[known.length - 1] : null;
    const most = Math.max(1, ...known);
    return {
      key: values.join(), className: 'sparkCell', empty: last === null,
      build: td => {
        if (last === null) { td.append(make('span', 'dim', '–')); return; }
        const inner = make('span');
        const svg = shape('svg', {class: 'spark', viewBox: '0 -1 100 22', preserveAspectRatio: 'none', role: 'img'});
        svg.setAttribute('aria-label', 'Mean time to the first byte over five minutes, at most ' + millis(most));
        svg.append(shape('path', {d: path(values, most, 100, 20)}));
        inner.append(svg, ' ', make('span', 'value', millis(last)));
        td.append(inner);
      }
    };
  }

  function lock(locked) {
    return {
      key: 'lock' + locked, className: '', empty: false,
      build: td => {
        const outer = make('span', 'tag ' + (locked ? 'good' : 'soft'));
        const svg = shape('svg', {class: 'lock', viewBox: '0 0 12 14', 'aria-hidden': 'true'});
        svg.append(shape('rect', {x: 1, y: 6, width: 10, height: 7, rx: 1.5}));
        svg.append(shape('path', {d: locked ? 'M3 6V4a3 3 0 0 1 6 0v2' : 'M3 6V4a3 3 0 0 1 5.7-1.3'}));
        outer.append(svg, locked ? 'TLS' : 'Cleartext');
        td.append(outer);
      }
    };
  }

  function link(uri) {
    return {
      key: uri, className: 'code', empty: false,
      build: td => {
        if (!/^https?:\/\/[\w.:*[\]-]+$/.test(uri)) { td.textContent = uri; return; }
        const a = make('a', '', uri);
        a.href = uri.replace('//*', '//' + location.hostname) + '/';
        a.rel = 'noreferrer';
        td.append(a);
      }
    };
  }

  // ---- tables: rows stay where they are, cells change only when their content does ----

  /** On narrow screens rows are blocks, so the roles of a table are said explicitly. */
  function table(into, label, heads, rows, none) {
    if (into.dataset.label !== label || into.dataset.heads !== heads.join()) {
      into.textContent = '';
      into.dataset.label = label;
      into.dataset.heads = heads.join();
      into.classList.add('card');
      const t = make('table');
      t.setAttribute('role', 'table');
      t.setAttribute('aria-label', label);
      const head = make('thead');
      head.setAttribute('role', 'rowgroup');
      const tr = make('tr');
      tr.setAttribute('role', 'row');
      for (const name of heads) {
        const th = make('th', /^#/.test(name) ? 'n' : '', name.replace(/^#/, ''));
        th.scope = 'col';
        th.setAttribute('role', 'columnheader');
        tr.append(th);
      }
      head.append(tr);
      const body = make('tbody');
      body.setAttribute('role', 'rowgroup');
      t.append(head, body);
      into.append(t, make('p', 'none'));
    }
    const t = into.querySelector('table'), body = t.tBodies[0];
    const empty = into.querySelector('.none');
    say(empty, none || '');
    t.hidden = rows.length === 0;
    empty.hidden = rows.length > 0 || !none;
    while (body.rows.length > rows.length) body.deleteRow(-1);
    rows.forEach((cells, r) => {
      let tr = body.rows[r];
      if (!tr) {
        tr = body.insertRow();
        tr.setAttribute('role', 'row');
      }
      cells.forEach((cell, c) => {
        let td = tr.cells[c];
        if (!td) {
          td = tr.insertCell();
          td.setAttribute('role', 'cell');
          td.dataset.label = heads[c].replace(/^#/, '');
        }
        if (td.dataset.key !== cell.key) {
          td.dataset.key = cell.key;
          td.textContent = '';
          td.className = cell.className + (cell.empty ? ' empty' : '');
          cell.build(td);
        }
      });
    });
  }

  function pairs(into, entries, wide) {
    while (into.children.length > entries.length) into.lastChild.remove();
    entries.forEach(([name, value, unit, note], i) => {
      let div = into.children[i];
      if (!div) {
        div = make('div');
        div.append(make('dt'), make('dd'));
        if (wide) {
          div.lastChild.append(make('span'), make('small'));
          div.append(make('dd', 'note'));
        }
        into.append(div);
      }
      say(div.children[0], name);
      if (wide) {
        say(div.children[1].children[0], value);
        say(div.children[1].children[1], unit || '');
        say(div.children[2], note || '');
      } else {
        say(div.children[1], value);
      }
    });
  }

  // ---- plots ----

  function plot(figure, series, unit) {
    const svg = figure.querySelector('svg');
    // the last slot isn't over yet
    const all = series.map(one => ({...one, values: one.values.slice(0, -1)}));
    const peak = Math.max(0, ...all.flatMap(one => one.values));
    const most = peak === 0 ? 1 : peak * 1.08;
    if (!svg.firstChild) {
      for (const y of [30, 60, 90]) svg.append(shape('line', {class: 'grid', x1: 0, x2: 600, y1: y, y2: y}));
      svg.append(shape('line', {class: 'base', x1: 0, x2: 600, y1: 120, y2: 120}));
      svg.append(shape('path', {class: 'area'}));
      for (const one of all) svg.append(shape('path', {class: one.kind}));
    }
    const paths = svg.querySelectorAll('path');
    const first = path(all[0].values, most, 600, 120);
    paths[0].setAttribute('d', first + 'L600 120L0 120Z');
    all.forEach((one, i) => paths[i + 1].setAttribute('d', i === 0 ? first : path(one.values, most, 600, 120)));
    const legend = figure.querySelector('.legend');
    const words = all.map(one => one.name + ' ' + unit(one.values[one.values.length - 1] || 0));
    if (legend.dataset.key !== words.join()) {
      legend.dataset.key = words.join();
      legend.textContent = '';
      all.forEach((one, i) => {
        const item = make('span');
        item.append(make('span', 'key ' + one.kind), words[i]);
        legend.append(item);
      });
    }
    say(figure.querySelector('.most'), 'peak ' + unit(peak));
    svg.setAttribute('aria-label', figure.querySelector('strong').textContent + ' over the last five minutes: '
      + words.join(', ') + '; peak ' + unit(peak));
  }

  // ---- the page ----

  const STATES = {serving: ['good', 'Serving'], draining: ['warn', 'Draining'], failed: ['bad', 'Failed']};
  const UPSTREAM = {up: ['good', 'Up'], ejected: ['warn', 'Ejected'], down: ['bad', 'Down']};
  const CERTIFICATE = {
    valid: ['good', 'Valid'], expiring: ['warn', 'Expiring'], expired: ['bad', 'Expired'], missing: ['warn', 'Missing']
  };
  const LEGS = {CLIENT: ['soft', 'Client'], PROXY: ['warn', 'Proxy'], UPSTREAM: ['bad', 'Upstream']};
  const SERVES = {routes: 'Routes', redirect: 'Redirect to HTTPS', rules: 'Port rules', status: 'This page'};
  const KINDS = {answer: 'Answered here', status: 'This page', redirect: 'Redirect'};

  const issuer = name => {
    const part = kind => (new RegExp('(?:^|,)\\s*' + kind + '=("[^"]*"|[^,]*)').exec(name) || [])[1];
    const cn = part('CN'), o = part('O');
    return (o && cn ? o + ' ' + cn : cn || o || name).replace(/"/g, '');
  };

  function left(certificate) {
    const s = certificate.secondsLeft;
    if (s === null) return '–';
    return s < 0 ? 'ended ' + span(-s) + ' ago' : span(s);
  }

  function problems(status) {
    const found = [];
    if (status.failure) found.push(['bad', 'Server', status.failure]);
    const seen = new Set();
    for (const group of status.groups) {
      for (const one of group.upstreams) {
        // groups may share it
        if (seen.has(one.upstream)) continue;
        seen.add(one.upstream);
        if (one.state === 'down') found.push(['bad', 'Upstream', one.upstream + ' fails its health check.']);
        if (one.state === 'ejected') found.push(['warn', 'Upstream', one.upstream + ' is skipped: connections to it failed.']);
      }
    }
    for (const one of status.certificates) {
      const name = one.names[0] || 'the certificate';
      const why = one.lastError ? ' ' + one.lastError : '';
      if (one.state === 'expired') found.push(['bad', 'Certificate', name + ' has expired.' + why]);
      else if (one.state === 'expiring') found.push(['warn', 'Certificate', name + ' expires in ' + left(one) + '.' + why]);
      else if (one.state === 'missing') found.push(['warn', 'Certificate', name + ' isn’t there yet.' + why]);
      else if (one.lastError) found.push(['warn', 'Certificate', name + ' couldn’t be renewed.' + why]);
    }
    for (const one of status.tunnels.servers) {
      if (!one.connected) found.push(['bad', 'Tunnel', one.address + ' isn’t connected.' + (one.failure ? ' ' + one.failure : '')]);
    }
    return found;
  }

  function showProblems(found) {
    const list = byId('problems'), key = JSON.stringify(found);
    const most = 12;
    byId('attention').hidden = found.length === 0;
    byId('attention').dataset.level = found.some(one => one[0] === 'bad') ? 'bad' : 'warn';
    document.title = (found.length ? '▲ ' + found.length + ' · ' : '') + 'webproxy status';
    if (list.dataset.key === key) return;
    list.dataset.key = key;
    list.textContent = '';
    for (const [level, what, sentence] of found.slice(0, most)) {
      const item = make('li');
      const cell = make('span');
      tag(level, what).build(cell);
      item.append(cell, make('span', '', sentence));
      list.append(item);
    }
    if (found.length > most) list.append(make('li', 'dim', 'and ' + (found.length - most) + ' more'));
  }

  /** The newest of those that are alike, with how many there are: one cause often fails many requests. */
  function alike(failures) {
    const byCause = new Map();
    for (const one of failures) {
      const cause = [one.leg, one.error, one.route, one.upstream].join('\n');
      const known = byCause.get(cause);
      if (known) known.times++;
      else byCause.set(cause, {...one, times: 1});
    }
    return [...byCause.values()];
  }

  const more = (shown, total) => total > shown ? ' (' + shown + ' of ' + number.format(total) + ')' : '';

  function show(status) {
    const [level, word] = STATES[status.state] || ['warn', status.state];
    byId('state').className = 'state ' + level;
    say(byId('state').lastElementChild, word);
    say(byId('uptime'), 'up ' + span(status.uptime));
    say(byId('time'), 'As of ' + clock(status.time));
    say(byId('viewers'), status.viewers === 1 ? '1 viewer' : status.viewers + ' viewers');
    showProblems(problems(status));

    const t = status.throughput, slot = t.slot;
    const perSecond = values => values.map(value => value / slot);
    const at = values => values.length > 1 ? values[values.length - 2] / slot : 0;
    const [received, receivedUnit] = bytes(at(t.bytesIn));
    const [sent, sentUnit] = bytes(at(t.bytesOut));
    const failures = t.failures.reduce((a, b) => a + b, 0), requests = t.requests.reduce((a, b) => a + b, 0);
    const longest = status.exchanges.classes.reduce(
      (a, b) => b.running > 0 && b.longestSilence > a ? b.longestSilence : a, 0);
    const running = status.exchanges.running;
    pairs(byId('figures'), [
      ['Requests', rate(at(t.requests)), '/s', number.format(requests) + ' in 5 min'],
      ['Failures', number.format(failures), '', requests > 0 ? (100 * failures / requests).toFixed(failures ? 2 : 0) + ' % in 5 min' : 'in 5 min'],
      ['In flight', running < 0 ? '–' : number.format(running), '', running > 0 ? 'silent up to ' + span(longest) : 'nothing waits'],
      ['Connections', number.format(status.connections.open), '', number.format(status.connections.refused) + ' refused'],
      ['Received', received, receivedUnit + '/s', 'request bodies'],
      ['Sent', sent, sentUnit + '/s', 'response bodies']
    ], true);
    plot(byId('plotRequests'), [
      {name: 'requests', kind: 'first', values: perSecond(t.requests)},
      {name: 'failures', kind: 'bad', values: perSecond(t.failures)}
    ], value => rate(value) + '/s');
    plot(byId('plotBytes'), [
      {name: 'sent', kind: 'first', values: perSecond(t.bytesOut)},
      {name: 'received', kind: 'second', values: perSecond(t.bytesIn)}
    ], value => bytes(value).join(' ') + '/s');

    groups(status);
    table(byId('failures'), 'Recent failures', ['Last', 'Leg', 'What happened', 'Route', 'Upstream', '#Status', '#After'],
      alike(status.failures).map(one => [
        text(clock(one.time), 'nowrap'),
        tag(...(LEGS[one.leg] || ['soft', one.leg])),
        two(one.reason, one.error + (one.method ? ' · ' + one.method : '') + (one.times > 1 ? ' · ' + one.times + ' alike' : '')),
        text(one.route), code(one.upstream),
        text(one.status === null ? '–' : one.status, 'n'),
        text(one.duration === null ? '–' : span(one.duration), 'n')
      ]), 'Nothing has failed since the start.');
    table(byId('classes'), 'Exchanges in flight by timeout class', ['Timeout class', '#In flight', '#Longest silence'],
      status.exchanges.classes.map(one => [
        text(one.class), count(one.running), text(one.running ? span(one.longestSilence) : '–', 'n')
      ]), 'The count isn’t there.');
    connections(status.connections, status.exchanges.tunnels, status.tlsProvider);
    table(byId('endpoints'), 'Endpoints', ['Name', 'Address', 'Security', 'Serves'],
      status.endpoints.map(one => [
        text(one.name), link(one.uri), one.serves === 'rules' && !one.padlock ? text('By rule', 'dim') : lock(one.padlock), text(SERVES[one.serves] || one.serves)
      ]), 'The server doesn’t listen.');
    byId('certificatesSection').hidden = status.certificates.length === 0;
    table(byId('certificates'), 'Certificates', ['For', 'State', 'Issuer', '#Left', 'Ends', 'Next renewal', 'Last error'],
      status.certificates.map(one => [
        text(one.names.slice(0, 4).join(', ') + (one.namesTotal > 4 ? ' and ' + (one.namesTotal - 4) + ' more' : '')),
        tag(...(CERTIFICATE[one.state] || ['soft', one.state])),
        text(one.issuer === null ? '–' : issuer(one.issuer)),
        text(left(one), 'n'),
        text(one.notAfter === null ? '–' : moment(one.notAfter), 'nowrap'),
        text(one.nextAttempt === null ? '–' : moment(one.nextAttempt), 'nowrap'),
        text(one.lastError)
      ]));
    byId('routesSection').hidden = status.routesTotal === 0;
    say(byId('h-routes'), 'Routes' + more(status.routes.length, status.routesTotal));
    table(byId('routes'), 'Routes', ['Name', 'Host', 'Path', 'Goes to'],
      status.routes.map(one => [
        text(one.name), text(one.host === null ? 'any' : one.host, 'wide'), code(one.path),
        one.target === null ? text(KINDS[one.kind] || one.kind) : code(one.target)
      ]));
    rules(status.rules, status.undetected);
    tunnels(status.tunnels);
  }

  function groups(status) {
    const into = byId('groups');
    say(byId('h-upstreams'), 'Upstreams' + more(status.groups.length, status.groupsTotal));
    byId('upstreams').hidden = status.groups.length === 0;
    const named = status.groups.filter(group => group.upstreams.length > 1 || group.name !== group.upstreams[0].upstream);
    const alone = status.groups.filter(group => !named.includes(group));
    const shown = named.map(group => [group.name, group.upstreams]);
    if (alone.length) shown.push(['', alone.flatMap(group => group.upstreams)]);
    while (into.children.length > shown.length * 2) into.lastChild.remove();
    shown.forEach(([name, upstreams], i) => {
      if (into.children.length < (i + 1) * 2) into.append(make('h3'), make('div'));
      const head = into.children[i * 2];
      say(head, name || 'Single upstreams');
      head.hidden = !name && shown.length === 1;
      table(into.children[i * 2 + 1], 'Upstreams ' + name, ['Upstream', 'State', '#Open', '#Idle', '#Waiting', '#Responses', '#Failures', '#First byte'],
        upstreams.map(one => [
          code(one.upstream), tag(...(UPSTREAM[one.state] || ['soft', one.state])),
          count(one.open), count(one.idle), count(one.waiting), count(one.responses), count(one.failures),
          spark(one.latency)
        ]));
    });
  }

  function connections(c, upgraded, provider) {
    const reasons = Object.entries(c.refusedBy).map(([why, n]) => why + ' ' + number.format(n));
    const versions = Object.entries(c.handshakes).map(([version, n]) => version + ' ' + number.format(n)
      + (c.resumedHandshakes[version] ? ', ' + number.format(c.resumedHandshakes[version]) + ' resumed' : ''));
    const entries = [
      ['Open', number.format(c.open) + (c.lingering ? ', ' + number.format(c.lingering) + ' lingering' : '')],
      ['WebSockets and upgrades', number.format(upgraded)],
      ['Refused', reasons.length ? reasons.join(', ') : number.format(c.refused)],
      ['Failed before a request', number.format(c.failed)]
    ];
    if (provider !== null) {
      entries.push(['TLS by', provider]);
      entries.push(['Handshakes', versions.length ? versions.join('; ') : '0']);
      entries.push(['Failed handshakes', number.format(c.failedHandshakes)]);
    }
    if (c.descriptorLimit > 0) {
      entries.push(['File descriptors', number.format(c.descriptors) + ' of ' + number.format(c.descriptorLimit)]);
    }
    pairs(byId('connections'), entries, false);
  }

  function rules(all, undetected) {
    byId('rulesSection').hidden = all.length === 0 && undetected.length === 0;
    table(byId('rules'), 'Port rules', ['Rule', 'Endpoint', '#Open', '#Total', '#Refused', '#Failed', 'Skipped targets'],
      all.map(rule => [
        text(rule.name), text(rule.endpoint), count(rule.open), count(rule.total), count(rule.refused),
        count(rule.failed), text(rule.ejected.join(', '))
      ]).concat(undetected.flatMap(one => Object.entries(one.connections).map(([why, n]) => [
        text(why), text(one.endpoint), text('–', 'n'), count(n), text('–', 'n'), text('–', 'n'), text('')
      ]))));
  }

  function tunnels(t) {
    byId('tunnelsSection').hidden = t.fingerprint === null && t.servers.length === 0 && t.agents.length === 0;
    byId('servers').hidden = t.servers.length === 0;
    table(byId('servers'), 'Public servers', ['Public server', 'State', 'Announced', 'Refused'],
      t.servers.map(one => [
        code(one.address),
        one.connected ? tag('good', 'Connected') : tag('bad', 'Not connected', one.failure || one.attempts + ' attempts'),
        text(one.accepted.join(', ')), text(one.refused.join('; '))
      ]));
    byId('agents').hidden = t.fingerprint === null && t.agents.length === 0;
    table(byId('agents'), 'Agents', ['Agent', 'State', 'Address', 'Software', 'Announced', '#Ready', '#Clients', 'Last seen'],
      t.agents.map(one => [
        text(one.name), one.connected ? tag('good', 'Connected') : tag('warn', 'Gone', one.left || ''),
        code(one.address), text(one.software), text(one.announced.join(', ')), count(one.ready), count(one.clients),
        text(clock(one.lastSeen), 'nowrap')
      ]), 'No agent has come yet.');
  }

  // ---- the data ----

  let source = null, paused = false, retry = 0, lastAt = 0;

  function live(on, word) {
    byId('live').dataset.live = on ? 'on' : 'off';
    say(byId('liveWord'), word);
  }

  function take(json) {
    const status = JSON.parse(json);
    if (status.version !== 1) {
      live(false, 'the server is of another version: reload');
      return;
    }
    lastAt = Date.now();
    live(true, 'live');
    show(status);
  }

  function close() {
    clearTimeout(retry);
    if (source) source.close();
    source = null;
  }

  function open() {
    close();
    if (paused || document.hidden) return;
    source = new EventSource('events');
    source.onmessage = event => take(event.data);
    source.onerror = () => {
      live(false, 'no connection, trying again');
      // an answer other than a stream ends it for good: all places may be taken
      if (source && source.readyState === EventSource.CLOSED) {
        close();
        poll();
        retry = setTimeout(open, 5000);
      }
    };
  }

  async function poll() {
    try {
      const response = await fetch('status.json', {cache: 'no-store'});
      if (response.ok) {
        take(await response.text());
        live(true, 'every 5 s');
      }
    } catch {
      // no connection: the next attempt says so
    }
  }

  byId('pause').addEventListener('click', () => {
    paused = !paused;
    say(byId('pause'), paused ? 'Resume' : 'Pause');
    if (paused) {
      close();
      live(false, 'paused');
    } else {
      live(false, 'connecting');
      open();
    }
  });
  document.addEventListener('visibilitychange', open);
  addEventListener('pagehide', close);
  addEventListener('pageshow', event => { if (event.persisted) open(); });
  setInterval(() => {
    if (source && lastAt && Date.now() - lastAt > 10000) live(false, 'silent since ' + clock(new Date(lastAt).toISOString()));
  }, 2000);
  open();
})();

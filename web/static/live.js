// The live page: says where it stands, applies updates in order, claims what it showed, and says when it is out of date.
(() => {
  const page = document.documentElement, feed = document.getElementById('feed');
  if (!feed) return;
  const $ = (id) => document.getElementById(id), tab = crypto.randomUUID(), title = document.title;
  let last = +feed.dataset.n, root = feed.dataset.root, painted = 0, socket = null, heard = Date.now(), ended = false, paused = false, held = [];
  let sayings = [], saidAt = 0, claimed = 0, lost = 0, asked = 0, shown = '', away = false, met = false;
  const send = (message) => { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message)); };
  const resync = () => { if (Date.now() - asked > 500) { asked = Date.now(); send({ resync: last }); } };

  // states of the page, all of them chrome
  const state = (name) => {
    if (shown === name && name !== 'stale') return;
    shown = name; page.dataset.state = name;
    for (const node of document.querySelectorAll('[data-when]')) node.hidden = !node.dataset.when.split(' ').includes(name);
    document.title = name === 'stale' ? 'Out of date: ' + headline() : headline();
  };
  const headline = () => {
    const h1 = document.querySelector('#lead h1'), name = document.querySelector('#lead .proj');
    return h1 ? name.textContent + ': ' + h1.firstChild.textContent.trim() : title;
  };
  const minutes = (ms) => { const m = Math.round(ms / 60000); return m < 2 ? 'a minute' : m < 120 ? m + ' minutes' : Math.round(m / 60) + ' hours'; };
  const look = () => {
    today();
    if (ended) return;
    const quiet = Date.now() - heard;
    if (quiet > 45000 && socket?.readyState === WebSocket.OPEN) { lost ||= heard + 45000; socket.close(); }
    if (lost && Date.now() - lost > 60000) { $('age').textContent = minutes(Date.now() - heard); return state('stale'); }
    if (lost && Date.now() - lost > 2000) return state('reconnecting');
    if (!lost) state(paused ? 'paused' : 'live');
  };
  const today = () => {
    const table = document.querySelector('table.ms[data-from]');
    if (!table) return;
    const now = new Date(new Date().toLocaleDateString('en-CA', { timeZone: feed.dataset.zone }));
    const from = new Date(table.dataset.from), at = (now - from) / (new Date(table.dataset.to) - from);
    page.style.setProperty('--today', at >= 0 && at <= 1 ? (100 * at).toFixed(2) + '%' : '-9999px');
  };

  // claims: cumulative, at most one a second
  const paint = () => requestAnimationFrame(() => {
    if (!met || document.hidden || paused || (painted >= last && !away) || socket?.readyState !== WebSocket.OPEN) return;
    const wait = claimed + 1000 - Date.now();
    if (wait > 0) return void setTimeout(paint, wait);
    send({ painted: last, from: painted }); painted = last; away = false; claimed = Date.now();
  });
  const say = () => {
    if (!sayings.length) return;
    const wait = saidAt + 10000 - Date.now();
    if (wait > 0) return void (say.timer ||= setTimeout(() => { say.timer = 0; say(); }, wait));
    $('say').textContent = sayings.splice(0).slice(-3).join('. '); saidAt = Date.now();
  };
  const applied = (m) => {
    last = m.n; root = m.root.slice(0, 16); feed.dataset.n = m.n;
    const at = new Date(m.at), time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: feed.dataset.zone }).format(at);
    for (const node of document.querySelectorAll('.u-n')) node.textContent = m.n;
    for (const node of document.querySelectorAll('.u-t')) { node.textContent = time; node.dateTime = m.at; }
    $('u-at').textContent = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone: 'UTC' }).format(at) + ' UTC';
    for (const form of document.forms) if (form.elements.head) { form.elements.n.value = m.n; form.elements.head.value = m.root; }
    $('u-root').textContent = m.root.slice(0, 16).replace(/(....)(?=.)/g, '$1 ');
    $('news').hidden = !$('since').children.length; $('quiet').hidden = !$('news').hidden || !$('quiet').dataset.some;
    if (m.say) { sayings.push(m.say); say(); }
    send({ applied: m.n, head: m.root.slice(0, 16) }); today(); paint();
    if (shown !== 'stale') document.title = headline();
  };
  const newer = () => { $('newer').textContent = held.length ? 'Show ' + held.length + ' newer' : 'Continue'; };

  let current = null;
  feed.addEventListener('htmx:ws:after:connection', (e) => {
    socket = e.detail.connection.socket; e.detail.connection.config.reconnectJitter = .9; heard = Date.now(); lost = 0; held = []; met = false; away = true;
    e.detail.connection.config.reconnectDelay = 500; send({ hello: last, tab, v: 1, root }); if (paused) newer(); look();
  });
  feed.addEventListener('htmx:ws:before:message:incoming', (e) => {
    heard = Date.now(); if (!met) { met = true; if (paused) send({ paused: last }); paint(); } // claims wait for the answer to the hello
    let m; try { m = JSON.parse(e.detail.message.data); } catch { return e.preventDefault(); }
    if (m.content === undefined) { if (m.reset) { last = 0; root = ''; } if (m.back) e.detail.connection.config.reconnectDelay = m.back; return e.preventDefault(); }
    if (!m.key && m.n <= last + held.length) return e.preventDefault();
    if (!m.key && m.n !== last + held.length + 1) { resync(); return e.preventDefault(); }
    if (paused) { held = m.key ? [] : held; held.push(e.detail.message.data); newer(); return e.preventDefault(); }
    current = m;
  });
  document.addEventListener('htmx:before:swap', (e) => {
    if (current && e.detail.tasks?.some((t) => !t.target)) { e.preventDefault(); current = null; resync(); }
  });
  feed.addEventListener('htmx:ws:after:message:incoming', () => { if (current) { const m = current; current = null; applied(m); } });
  feed.addEventListener('htmx:ws:error', () => { current = null; });
  feed.addEventListener('htmx:ws:close', (e) => {
    const code = e.detail.code; lost ||= Date.now();
    if (code === 4426) return location.reload();
    if (code === 4401 || code === 4403) { ended = true; state(code === 4401 ? 'signed-out' : 'ended'); }
  });
  document.addEventListener('visibilitychange', () => { if (document.hidden) { away = true; send({ hidden: last }); } else { paint(); look(); } });
  document.addEventListener('submit', (e) => { // what was typed would be lost on the way to signing in
    if (shown === 'signed-out' && e.target.elements.head) { e.preventDefault(); scrollTo(0, 0); }
  });
  addEventListener('pageshow', (e) => { if (e.persisted) { htmx.process(feed, true); } });
  document.addEventListener('click', (e) => {
    const button = e.target.closest('[data-do]');
    if (button?.dataset.do === 'pause') { paused = true; send({ paused: last }); newer(); look(); }
    if (button?.dataset.do === 'resume') { paused = false; send({ resumed: last }); look(); paint(); for (const data of held.splice(0)) socket?.dispatchEvent(new MessageEvent('message', { data })); }
    if (button?.dataset.do === 'print') print();
    if (button?.dataset.do === 'retry') htmx.process(feed, true);
  });
  setInterval(look, 1000); today(); state('live');
})();

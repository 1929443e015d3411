// The connection: it greets, takes updates in order, asks again where one is missing, and tells when it is lost.
const feed = (() => {
  const RENEW_APART = 20000; // ms between two attempts to begin a session, at most
  const ASK_APART = 500; // ms between two requests for a whole page
  const [RELOAD, SIGNED_OUT, ENDED] = [4426, 4401, 4403]; // why the server closed: docs/spec.md 5.5

  const tab = crypto.randomUUID();
  let socket = null;
  let askedAt = 0;
  let current = null; // the update htmx is putting in now

  const open = () => socket?.readyState === WebSocket.OPEN;

  function send(message) {
    if (open()) socket.send(JSON.stringify(message));
  }

  function resync() {
    if (Date.now() - askedAt <= ASK_APART) return;
    askedAt = Date.now();
    send({ resync: update.n() });
  }

  function connected(event) {
    const { connection } = event.detail;
    socket = connection.socket;
    connection.config.reconnectJitter = .9;
    connection.config.reconnectDelay = 500;
    state.connected();
    buttons.drop();
    claims.connected();
    send({ hello: update.n(), tab, v: 2, root: update.root() });
    if (buttons.paused()) buttons.count();
    state.look();
  }

  function parsed(data) {
    try {
      return JSON.parse(data);
    } catch {
      return null;
    }
  }

  function told(m, config) {
    if (m.reset) update.forget();
    if (m.back) config.reconnectDelay = m.back;
  }

  // Returns whether htmx may put the message in.
  function fits(m, detail) {
    if (m.content === undefined) {
      told(m, detail.connection.config);
      return false;
    }
    const newest = update.n() + buttons.held();
    if (!m.key && m.n <= newest) return false;
    if (!m.key && m.n !== newest + 1) {
      resync();
      return false;
    }
    if (buttons.paused()) {
      buttons.hold(m, detail.message.data);
      return false;
    }
    return true;
  }

  function incoming(event) {
    state.heard();
    claims.answered(); // claims wait for the answer to the hello
    const m = parsed(event.detail.message.data);
    if (m && fits(m, event.detail)) current = m;
    else event.preventDefault();
  }

  function swapping(event) {
    if (!current || !event.detail.tasks?.some((task) => !task.target)) return;
    event.preventDefault();
    current = null;
    resync();
  }

  function put() {
    if (!current) return;
    const m = current;
    current = null;
    update.applied(m);
  }

  // A session ran out: where the device stays signed in another one begins, and the page goes on where it is.
  async function renew(wait = 1000) {
    const headers = { 'hx-request': 'true', 'x-fanlight-form': document.querySelector('[name=csrf]')?.value ?? '' };
    try {
      const answer = await fetch(page.feed.dataset.renew, { method: 'POST', headers, redirect: 'manual' });
      if (answer.status === 204) {
        again();
        return;
      }
      if ([0, 401, 403, 404].includes(answer.status)) {
        state.over('signed-out');
        return;
      }
    } catch {
      // the server is away, and is asked again
    }
    setTimeout(renew, wait, Math.min(2 * wait, RENEW_APART));
  }

  function closed(event) {
    const { code } = event.detail;
    state.lost();
    if (code === RELOAD) location.reload();
    else if (code === SIGNED_OUT) renew();
    else if (code === ENDED) state.over('ended');
  }

  function again() {
    htmx.process(page.feed, true);
  }

  function begin() {
    page.feed.addEventListener('htmx:ws:after:connection', connected);
    page.feed.addEventListener('htmx:ws:before:message:incoming', incoming);
    document.addEventListener('htmx:before:swap', swapping);
    page.feed.addEventListener('htmx:ws:after:message:incoming', put);
    page.feed.addEventListener('htmx:ws:error', () => {
      current = null;
    });
    page.feed.addEventListener('htmx:ws:close', closed);
  }

  return {
    begin,
    open,
    send,
    close: () => socket?.close(),
    again: (data) => socket?.dispatchEvent(new MessageEvent('message', { data })),
    retry: again,
  };
})();

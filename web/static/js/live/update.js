// The update on screen: its number and its head, wherever the page names them.
const update = (() => {
  const CLOCK = { hour: '2-digit', minute: '2-digit' };
  const DAY = { day: 'numeric', month: 'short', year: 'numeric' };

  let n = 0;
  let root = ''; // the first 16 digits of the head

  function begin() {
    n = +page.feed.dataset.n;
    root = page.feed.dataset.root;
  }

  function forget() {
    n = 0;
    root = '';
  }

  function written(at, how) {
    return new Intl.DateTimeFormat(words.locale, { ...how, hourCycle: 'h23' }).format(at);
  }

  // Binds what is sent to the update on screen.
  function bind() {
    for (const form of document.forms) {
      if (!form.elements.head) continue;
      form.elements.n.value = n;
      form.elements.head.value = page.feed.dataset.head;
    }
    for (const node of document.querySelectorAll('#answer .u-n')) node.textContent = n;
  }

  function name(m) {
    const at = new Date(m.at);
    const time = written(at, { ...CLOCK, timeZone: page.feed.dataset.zone });
    for (const node of document.querySelectorAll('.u-n')) node.textContent = m.n;
    for (const node of document.querySelectorAll('.u-t')) {
      node.textContent = time;
      node.dateTime = m.at;
    }
    page.byId('u-at').textContent = `${written(at, { ...DAY, ...CLOCK, second: '2-digit', timeZone: 'UTC' })} UTC`;
    bind();
    for (const [id, code] of [['u-root', root], ['u-rest', m.root.slice(16)]]) {
      page.byId(id).textContent = code.replace(/(....)(?=.)/g, '$1 ');
    }
  }

  // Takes on the stylesheet of the newest update, where it has another look. Nothing typed is lost, as by loading anew.
  function dress() {
    const look = page.byId('brand')?.dataset.look ?? '';
    if (look === page.look) return;
    page.look = look;
    const before = page.style;
    page.style = before.cloneNode();
    page.style.href = page.feed.getAttribute('hx-ws:connect').replace(/live$/, `styles/${n}.css`);
    page.style.addEventListener('load', () => before.remove(), { once: true });
    before.after(page.style);
  }

  function applied(m) {
    const from = n;
    n = m.n;
    root = m.root.slice(0, 16);
    page.feed.dataset.n = m.n;
    page.feed.dataset.head = m.root;
    name(m);
    dress();
    sum.take(m, from);
    if (m.say) speech.add(m.say);
    feed.send({ applied: m.n, head: root });
    today.draw();
    claims.paint();
    state.retitle();
    if ((page.byId('summary').lang || 'en') !== words.lang) location.reload(); // what is around it is in another one
  }

  return { begin, forget, applied, bind, n: () => n, root: () => root };
})();

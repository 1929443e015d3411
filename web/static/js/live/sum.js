// What changed since the last visit, one row a thing: a change of an update is folded into the row of its thing, as
// projections/entries/summed.py does. Nothing moves under the reader's eyes: rows of things that are new wait.
const sum = (() => {
  const OPEN = 5;
  const WHEN = /^(\d{4})-(Q?)(\d\d?)(?:-\d\d)?$/;
  const MONEY = /^(-?[\d.]+) ([A-Z]{3})$/;
  const SYMBOLS = { GBP: '£', EUR: '€', USD: '$' };
  const UNITS = [[1e3, 'k', 0], [1e6, 'm', 2], [1e9, 'bn', 2], [1e12, 'tn', 2]];

  const { me, cut } = page.byId('sum').dataset;
  const first = page.byId('first');
  const more = page.byId('more');
  const each = page.byId('each');
  const fresh = page.byId('fresh');
  const rows = new Map([...document.querySelectorAll('.sum > li')].map((row) => [row.dataset.of, row]));
  const waiting = []; // rows of things that are new
  const late = []; // single changes that came while their list was open
  let words = statuses(); // before the update that is taken in

  const list = (fold) => fold.querySelector('ol');
  const some = (n, what) => `${n} ${what}${n === 1 ? '' : 's'}`;

  function statuses() {
    const all = [...document.querySelectorAll('.c-s .st, .risks summary .st')];
    return new Map(all.map((st) => [st.closest('tr,li').id, st.textContent.trim()]));
  }

  function word(known, of) {
    return known.get(of.replace('milestone-', 'ms-').replace('risk-', 'r-')) ?? '';
  }

  function number(value, places) {
    const how = { minimumFractionDigits: places, maximumFractionDigits: places, roundingMode: 'halfEven' };
    return value.toLocaleString('en-GB', how);
  }

  // As projections/wording/words.py says an amount in short.
  function money(value, currency) {
    const size = Math.abs(value);
    let text = number(size, size < 100 && size % 1 ? 2 : 0);
    for (const [factor, unit, places] of size < 9999.5 ? [] : UNITS) {
      text = number(size / factor, places) + unit;
      if (size / factor < 999.995) break;
    }
    return `${value < 0 ? '−' : ''}${SYMBOLS[currency] ?? `${currency} `}${text}`;
  }

  // Returns a day, a month or a quarter as a number of those, NaN for whatever else.
  function when(text) {
    const [all, year, quarter, part] = WHEN.exec(text) ?? [];
    if (!all) return NaN;
    return all.length > 7 ? Date.parse(all) / 86400000 : year * (quarter ? 4 : 12) + +part;
  }

  // Returns the note of a change as it is for the whole of it, from the first value to the newest.
  function whole(was, now, note) {
    const unit = /(day|month|quarter)s?$/.exec(note)?.[1];
    const many = when(now) - when(was);
    if (unit && many) return note.replace(/\S+ \w+$/, `${many < 0 ? '−' : '+'}${some(Math.abs(many), unit)}`);
    const [from, to] = [MONEY.exec(was), MONEY.exec(now)];
    if (!from || !to || !note) return note;
    const by = to[1] - from[1];
    return `${by > 0 ? '+' : ''}${money(by, to[2])}`;
  }

  function made(li) {
    const row = document.createElement('li');
    row.dataset.of = li.dataset.of;
    row.dataset.n = 0;
    row.dataset.st = word(words, li.dataset.of);
    const inside = (tag, names) => names.map((name) => {
      const node = document.createElement(tag);
      node.className = name;
      return node;
    });
    row.append(...inside('b', ['t']), ...inside('span', ['mvs', 'net', 'why']));
    row.querySelector('.net').append(inside('span', ['d'])[0], ' ', inside('span', ['n'])[0]);
    row.querySelector('.why').append(...inside('span', ['now', 'txt', 'also']));
    rows.set(li.dataset.of, row);
    waiting.push(row);
    return row;
  }

  function put(row, li) {
    const { f, r, was, now } = li.dataset;
    const told = li.querySelector('.mv');
    let value = [...row.querySelectorAll('.mv')].find((one) => one.dataset.f === f);
    if (!value) {
      value = told.cloneNode(true);
      value.querySelector('br')?.nextSibling?.remove();
      value.querySelector('br')?.remove();
      Object.assign(value.dataset, { f, r, was });
      row.querySelector('.mvs').append(value);
    }
    Object.assign(value.dataset, { now, t: li.querySelector('b').textContent });
    const many = f === 'remarks' ? now - value.dataset.was : 0;
    value.querySelector('b').textContent = many > 1 ? `${many} comments` : told.querySelector('b').textContent;
    const note = told.querySelector('br')?.nextSibling?.textContent.trim() ?? '';
    const [band, newest] = [row.dataset.st, word(statuses(), li.dataset.of)];
    const bands = f === 'score' && note && band && newest;
    value.dataset.d = bands ? (band === newest ? band : `${band} to ${newest.toLowerCase()}`)
      : whole(value.dataset.was, now, note);
    const why = li.querySelector('.why');
    if (why) row.querySelector('.txt').textContent = why.textContent;
  }

  function draw(row) {
    const write = (name, text) => {
      row.querySelector(`.${name}`).textContent = text;
    };
    const { of, n, st } = row.dataset;
    const all = [...row.querySelectorAll('.mv')].sort((one, other) => one.dataset.r - other.dataset.r);
    const moved = all.filter(({ dataset }) => !dataset.f || dataset.was !== dataset.now);
    const leads = moved[0]?.dataset ?? {};
    for (const value of all) value.hidden = value !== moved[0];
    const steps = cut ? `${n}+ steps` : some(+n, 'step'); // before the visit not all were looked at
    row.querySelector('.same')?.remove();
    if (!moved.length) {
      const same = document.createElement('span');
      same.className = 'same';
      same.textContent = `Unchanged after ${steps}`;
      row.querySelector('.mvs').prepend(same);
    }
    const newest = of.startsWith('milestone-') && leads.f ? word(words, of) : '';
    const other = st && newest && st !== newest && !['status', 'actual'].includes(leads.f);
    write('t', leads.t ?? all[0].dataset.t);
    write('d', leads.d ?? '');
    write('n', moved.length && (n > 1 || cut) ? `in ${steps}` : '');
    write('now', other ? `now ${newest.toLowerCase()}` : '');
    write('also', moved.length > 1 ? `and ${some(moved.length - 1, 'other value')}` : '');
    if (waiting.includes(row)) row.classList.toggle('bare', !row.querySelector('.why').textContent);
  }

  function mark(row) {
    row.classList.remove('new');
    void row.offsetWidth; // so that it is marked anew
    row.classList.add('new');
    if (more.contains(row)) more.querySelector('summary').classList.add('new');
  }

  // Folds what an update brought, the oldest change first; `from` is the update that was on screen.
  function take(m, from) {
    const place = (li) => li.id.split('-').slice(1).map(Number);
    const items = [...page.byId('since').children];
    items.sort((one, other) => place(one)[0] - place(other)[0] || place(one)[1] - place(other)[1]);
    const touched = new Set();
    for (const li of items) {
      if (!li.dataset.of || li.dataset.by === me) continue;
      const row = rows.get(li.dataset.of) ?? made(li);
      put(row, li);
      if (row.dataset.last !== `${place(li)[0]}`) row.dataset.n++;
      [row.dataset.last] = place(li);
      touched.add(row);
    }
    words = statuses();
    touched.forEach(draw);
    touched.forEach(mark);
    count(items, m.key && from && items.length ? place(items[0])[0] - from - 1 : 0);
  }

  function count(items, missed) {
    each.dataset.n = +each.dataset.n + items.length;
    const told = `${cut ? 'The newest' : 'All'} ${some(+each.dataset.n, 'change')}, one by one`;
    each.querySelector('summary').textContent = told;
    late.push(...items);
    if (!each.open) catchUp();
    fresh.hidden = !waiting.length;
    fresh.textContent = `${waiting.length} new`;
    if (missed > 0) {
      page.byId('cut').hidden = false;
      page.byId('cut').textContent = `${some(missed, 'update')} before these not listed here; reload the page for them`;
    }
  }

  function catchUp() {
    list(each).prepend(...late.splice(0).reverse());
  }

  function show() {
    const all = [...waiting.splice(0).reverse(), ...first.children];
    first.replaceChildren(...all.slice(0, OPEN));
    list(more).prepend(...all.slice(OPEN));
    const folded = list(more).children.length;
    more.hidden = !folded;
    more.querySelector('summary').textContent = `${folded} more`;
    each.hidden = each.dataset.n === '0';
    catchUp();
    fresh.hidden = true;
    page.byId('quiet').hidden = rows.size > 0;
    first.focus({ preventScroll: true });
  }

  function begin() {
    each.addEventListener('toggle', () => each.open || catchUp());
    more.addEventListener('toggle', () => more.querySelector('summary').classList.remove('new'));
    addEventListener('beforeprint', () => waiting.length && show());
  }

  return { begin, take, show };
})();

// What changed since the last visit, one row a thing: a change of an update is folded into the row of its thing, as
// projections/entries/summed.py does. Nothing moves under the reader's eyes: rows of things that are new wait.
const sum = (() => {
  const OPEN = 5;
  const WHEN = /^(\d{4})-(Q?)(\d\d?)(?:-\d\d)?$/;
  const MONEY = /^(-?[\d.]+) ([A-Z]{3})$/;
  const STATES = ['On track', 'At risk', 'Off track', 'Overdue', 'Done', 'Planned'];
  const BANDS = ['Low', 'Medium', 'High'];

  const { me, cut } = page.byId('sum').dataset;
  const first = page.byId('first');
  const more = page.byId('more');
  const each = page.byId('each');
  const fresh = page.byId('fresh');
  const rows = new Map([...document.querySelectorAll('.sum > li')].map((row) => [row.dataset.of, row]));
  const waiting = []; // rows of things that are new
  const late = []; // single changes that came while their list was open
  const inside = words.table(BANDS, BANDS.map((band) => band.toLowerCase())); // as they stand in a sentence
  const turned = words.table(STATES, STATES.map((status) => `now ${status.toLowerCase()}`));
  let known = statuses(); // before the update that is taken in

  const list = (fold) => fold.querySelector('ol');

  function statuses() {
    const all = [...document.querySelectorAll('.c-s .st, .risks summary .st')];
    return new Map(all.map((st) => [st.closest('tr,li').id, st.textContent.trim()]));
  }

  function word(all, of) {
    return all.get(of.replace('milestone-', 'ms-').replace('risk-', 'r-')) ?? '';
  }

  function number(value, places) {
    const how = { minimumFractionDigits: places, maximumFractionDigits: places, roundingMode: 'halfEven' };
    return value.toLocaleString(words.locale, how);
  }

  // As projections/wording/words.py says an amount in short.
  function money(value, currency) {
    const size = Math.abs(value);
    let text = number(size, size < 100 && size % 1 ? 2 : 0);
    for (const [factor, unit, places] of size < 9999.5 ? [] : words.units) {
      text = unit.replace('{amount}', number(size / factor, places));
      if (size / factor < 999.995) break;
    }
    return `${value < 0 ? '−' : ''}${words.placed(text, currency)}`;
  }

  // Returns a day, a month or a quarter as a number of those, NaN for whatever else.
  function when(text) {
    const [all, year, quarter, part] = WHEN.exec(text) ?? [];
    if (!all) return NaN;
    return all.length > 7 ? Date.parse(all) / 86400000 : year * (quarter ? 4 : 12) + +part;
  }

  // Returns how far a date moved, "" for what is no date or did not move.
  function shift(was, now) {
    const many = when(now) - when(was);
    if (!many) return '';
    const unit = now.includes('Q') ? 'quarter' : now.length > 7 ? 'day' : 'month';
    const size = Math.abs(many);
    return words.count(`{many} ${unit}`, size, { many: `${many < 0 ? '−' : '+'}${size}` });
  }

  // Returns the note of a change as it is for the whole of it, from the first value to the newest; `step` is its own.
  function whole(was, now, note, step) {
    const by = shift(was, now);
    if (by && step && note.endsWith(step)) return note.slice(0, -step.length) + by;
    const [from, to] = [MONEY.exec(was), MONEY.exec(now)];
    if (!from || !to || !note) return note;
    const more = to[1] - from[1];
    return `${more > 0 ? '+' : ''}${money(more, to[2])}`;
  }

  function begun(li) {
    const row = document.createElement('li');
    row.dataset.of = li.dataset.of;
    row.dataset.n = 0;
    row.dataset.st = word(known, li.dataset.of);
    const made = (tag, names) => names.map((name) => {
      const node = document.createElement(tag);
      node.className = name;
      return node;
    });
    row.append(...made('b', ['t']), ...made('span', ['mvs', 'net', 'why']));
    row.querySelector('.net').append(made('span', ['d'])[0], ' ', made('span', ['n'])[0]);
    row.querySelector('.why').append(...made('span', ['now', 'txt', 'also']));
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
    value.querySelector('b').textContent = many > 1 ? words.count('{many} comment', many, { many })
      : told.querySelector('b').textContent;
    const note = told.querySelector('br')?.nextSibling?.textContent.trim() ?? '';
    const [band, newest] = [row.dataset.st, word(statuses(), li.dataset.of)];
    const bands = f === 'score' && note && band && newest;
    const lower = inside.get(newest) ?? newest;
    value.dataset.d = bands ? (band === newest ? band : words.say('{band} to {lower}', { band, lower }))
      : whole(value.dataset.was, now, note, shift(was, now));
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
    // before the visit not all were looked at
    const steps = (plus, one) => cut ? words.say(plus, { n }) : words.count(one, +n, { many: n });
    row.querySelector('.same')?.remove();
    if (!moved.length) {
      const same = document.createElement('span');
      same.className = 'same';
      same.textContent = steps('Unchanged after {n}+ steps', 'Unchanged after {many} step');
      row.querySelector('.mvs').prepend(same);
    }
    const newest = of.startsWith('milestone-') && leads.f ? word(known, of) : '';
    const other = st && newest && st !== newest && !['status', 'actual'].includes(leads.f);
    write('t', leads.t ?? all[0].dataset.t);
    write('d', leads.d ?? '');
    write('n', moved.length && (n > 1 || cut) ? steps('in {n}+ steps', 'in {many} step') : '');
    write('now', other ? turned.get(newest) ?? newest : '');
    const others = moved.length - 1;
    write('also', others > 0 ? words.count('and {n} other value', others, { n: others }) : '');
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
      const row = rows.get(li.dataset.of) ?? begun(li);
      put(row, li);
      if (row.dataset.last !== `${place(li)[0]}`) row.dataset.n++;
      [row.dataset.last] = place(li);
      touched.add(row);
    }
    known = statuses();
    touched.forEach(draw);
    touched.forEach(mark);
    count(items, m.key && from && items.length ? place(items[0])[0] - from - 1 : 0);
  }

  function count(items, missed) {
    each.dataset.n = +each.dataset.n + items.length;
    const { n } = each.dataset;
    each.querySelector('summary').textContent = cut ? words.say('The newest {n} changes, one by one', { n })
      : words.count('All {n} change, one by one', +n, { n });
    late.push(...items);
    if (!each.open) catchUp();
    fresh.hidden = !waiting.length;
    fresh.textContent = words.say('{n} new', { n: waiting.length });
    if (missed > 0) {
      page.byId('cut').hidden = false;
      const one = '{n} update before these not listed here; reload the page for them';
      page.byId('cut').textContent = words.count(one, missed, { n: missed });
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
    more.querySelector('summary').textContent = words.say('{n} more', { n: folded });
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

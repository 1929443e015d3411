// A table edited in place: keys move in a column, a pasted block fills the cells from where it was pasted.
(() => {
  const form = document.querySelector('form.cells');
  if (!form) return;
  const told = document.getElementById('changed');
  const reason = form.elements.reason;
  const rows = [...form.querySelectorAll('tbody tr')].map((row) => [...row.querySelectorAll('td input')]);
  const place = new Map();
  rows.forEach((cells, r) => cells.forEach((cell, c) => place.set(cell, [r, c])));
  const tick = (cell) => cell.type === 'checkbox';
  const differs = (cell) => (tick(cell) ? cell.checked !== cell.defaultChecked : cell.value !== cell.dataset.was);

  const count = () => {
    let n = 0;
    for (const cell of place.keys()) {
      const changed = differs(cell);
      n += changed;
      cell.closest('td').classList.toggle('changed', changed);
    }
    told.textContent = n > 1 ? told.dataset.many.replace('{n}', n) : n ? told.dataset.one : told.dataset.none;
    return n;
  };

  const go = (r, c) => {
    const cell = rows[r]?.[c];
    if (!cell) return false;
    cell.focus();
    if (!tick(cell)) cell.select();
    return true;
  };

  form.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    const at = place.get(event.target);
    if (!at || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1, Enter: event.shiftKey ? -1 : 1 }[event.key];
    if (step) {
      event.preventDefault();
      if (!go(at[0] + step, at[1]) && event.key === 'Enter' && step > 0) reason.focus();
    } else if (event.key === 'Escape' && !tick(event.target)) {
      event.target.value = event.target.dataset.was;
      count();
    }
  });

  const put = (cell, text) => {
    if (tick(cell)) cell.checked = /^(yes|y|true|1|x|✓)$/i.test(text);
    else cell.value = text;
  };

  // Cells of a spreadsheet that hold line breaks or tabs are quoted, and a quote in them is doubled.
  const block = (text) => {
    const found = [[]];
    const cell = /"((?:[^"]|"")*)"(\t|\n|$)|([^\t\n]*)(\t|\n|$)/y;
    const whole = text.replace(/\r\n?/g, '\n').replace(/\n$/, '');
    while (cell.lastIndex <= whole.length) {
      const [, quoted, afterQuoted, plain, after] = cell.exec(whole);
      const value = quoted === undefined ? plain : quoted.replace(/""/g, '"');
      found.at(-1).push(value.replace(/\s+/g, ' ').trim());
      const end = afterQuoted ?? after;
      if (end === '') break;
      if (end === '\n') found.push([]);
    }
    return found;
  };

  form.addEventListener('paste', (event) => {
    const at = place.get(event.target);
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (!at || !/[\t\r\n]/.test(text.trim())) return;
    event.preventDefault();
    const lines = block(text);
    lines.forEach((line, r) => line.forEach((value, c) => {
      const cell = rows[at[0] + r]?.[at[1] + c];
      if (cell) put(cell, value);
    }));
    count();
    const wide = Math.max(...lines.map((line) => line.length));
    const over = Math.max(0, at[0] + lines.length - rows.length) + Math.max(0, at[1] + wide - rows[0].length);
    if (over) told.textContent = told.dataset.over.replace('{n}', over);
  });

  let sending = false;
  form.addEventListener('input', count);
  form.addEventListener('submit', () => {
    sending = true;
  });
  window.addEventListener('beforeunload', (event) => {
    if (!sending && count()) event.preventDefault();
  });
  count();
  form.querySelector('[aria-invalid], .asked input')?.focus();
})();

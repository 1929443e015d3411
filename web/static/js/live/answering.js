// Answers where one reads: a form opens beneath its row, and what was recorded is said in its place. Without this
// script, and where a request fails, the same link and the same form load the page instead.
const answering = (() => {
  const ROWS = { milestone: ['md', 'ms'], risk: ['r'] };
  const drafts = new Map(); // what was typed and not sent, by what it is about

  const mine = () => page.byId('answer');
  const typed = () => page.byId('answer-text')?.value ?? '';
  const linkTo = (about) => document.querySelector(`a.say-it[href="?about=${CSS.escape(about)}#answer"]`);

  // The element that an answer stands after.
  function above(about) {
    if (!about) return page.byId('about-all');
    if (about.startsWith('agreement-')) return page.byId('scope');
    const at = about.indexOf('-');
    for (const row of ROWS[about.slice(0, at)] ?? []) {
      const found = page.byId(`${row}-${about.slice(at + 1)}`);
      if (found) return found;
    }
    return null;
  }

  // Moves it with focus, caret and text, also where a browser cannot move elements as they are.
  function move(parent, before) {
    const node = mine();
    if (parent.moveBefore) {
      parent.moveBefore(node, before);
      return;
    }
    const focused = node.contains(document.activeElement) ? document.activeElement : null;
    const caret = focused?.tagName === 'TEXTAREA' ? [focused.selectionStart, focused.selectionEnd] : null;
    parent.insertBefore(node, before);
    focused?.focus({ preventScroll: true });
    if (caret) focused.setSelectionRange(...caret);
  }

  // While an update replaces what it stands in, it stands aside.
  function aside(event) {
    const node = mine();
    const within = (task) => task.target !== node && task.target?.contains?.(node);
    if (node && event.detail.tasks?.some(within)) move(page.byId('parked'), null);
  }

  function back() {
    const node = mine();
    if (node?.parentElement.id !== 'parked') return;
    const row = above(node.dataset.about) ?? page.byId('about-all');
    if (row) move(row.parentNode, row.nextSibling);
  }

  function keep() {
    const node = mine();
    if (!node) return;
    if (typed().trim()) drafts.set(node.dataset.about, typed());
    else drafts.delete(node.dataset.about);
  }

  function show(focus) {
    const node = mine();
    update.bind();
    const first = node.querySelector('[aria-invalid], input:not([type=hidden]), textarea, button');
    (focus === 'form' && first ? first : node).focus({ preventScroll: true });
    node.scrollIntoView({ block: 'nearest' });
  }

  async function asked(url, how = {}) {
    const headers = { 'hx-request': 'true', accept: 'text/html' };
    const answer = await fetch(url, { ...how, headers, redirect: 'manual' });
    const text = await answer.text();
    if (!text.includes('id="answer"')) throw new Error('not an answer');
    return text;
  }

  async function open(link) {
    const about = new URL(link.href).searchParams.get('about');
    if (mine()?.dataset.about === about && mine().classList.contains('open')) {
      show('form');
      return;
    }
    try {
      const row = above(about);
      const text = await asked(`${location.pathname}/answer?about=${encodeURIComponent(about)}`);
      keep();
      mine()?.remove();
      await htmx.swap({ sourceElement: document.body, target: row, swap: 'afterend', text });
      const words = page.byId('answer-text');
      if (words && drafts.has(about)) words.value = drafts.get(about);
      show('form');
    } catch {
      location.href = link.href;
    }
  }

  function close() {
    const { about } = mine().dataset;
    keep();
    mine().remove();
    (linkTo(about) ?? above(about)?.querySelector('a'))?.focus({ preventScroll: true });
  }

  async function send(form, button) {
    const data = new URLSearchParams(new FormData(form, button));
    const { about } = mine().dataset;
    button.disabled = true;
    try {
      const text = await asked(form.action, { method: 'POST', body: data });
      await htmx.swap({ sourceElement: document.body, target: mine(), swap: 'outerHTML', text });
      if (mine().classList.contains('said')) drafts.delete(about);
      show(mine().classList.contains('said') ? 'entry' : 'form');
    } catch {
      button.disabled = false;
      form.querySelector('input[name=how]')?.remove();
      const how = { type: 'hidden', name: 'how', value: data.get('how') };
      form.append(Object.assign(document.createElement('input'), how));
      form.submit();
    }
  }

  function clicked(event) {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target.closest('a');
    if (link?.matches('main a[href^="?about="]')) {
      event.preventDefault();
      open(link);
    } else if (link?.matches('#answer [data-close]')) {
      event.preventDefault();
      close();
    }
  }

  function submitted(event) {
    if (event.defaultPrevented || !event.target.closest('#answer')) return;
    event.preventDefault();
    send(event.target, event.submitter ?? event.target.querySelector('button'));
  }

  function begin() {
    document.addEventListener('click', clicked);
    document.addEventListener('submit', submitted);
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && event.target.closest?.('#answer')) close();
    });
    document.addEventListener('htmx:before:swap', aside);
    document.addEventListener('htmx:finally:swap', back);
  }

  return { begin };
})();

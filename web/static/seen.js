// Steps through instants without reloading: every step is a link that works without this file as well.
(() => {
  const PACE = 1600;
  let playing = 0, asked = 0;
  const seen = () => document.getElementById('seen');
  const step = (name) => seen().querySelector(`[data-step=${name}]`);

  async function to(url, { remember = true, focus = '' } = {}) {
    const mine = ++asked;
    let answer, text;
    try {
      answer = await fetch(url, { headers: { 'HX-Request': 'true' }, cache: 'no-store' });
      text = await answer.text();
    } catch { if (mine === asked) location.assign(url); return; }
    if (mine !== asked) return;
    if (!answer.ok || !text.includes('id="seen"')) { location.assign(url); return; }
    await htmx.swap({ target: '#seen', swap: 'outerHTML', text, sourceElement: document.body });
    if (remember) history.pushState(null, '', answer.url);
    wake();
    const target = focus === 'range' ? seen().querySelector('.rng') : focus ? step(focus) : null;
    if (target) target.focus({ preventScroll: true });
  }

  function stop() {
    clearTimeout(playing);
    playing = 0;
    const word = seen().querySelector('[data-play] span');
    if (word) word.textContent = 'Play';
  }

  async function on() {
    const next = step('on');
    if (!next) { stop(); return; }
    await to(next.href);
    if (!playing) return;
    playing = setTimeout(on, PACE);
    seen().querySelector('[data-play] span').textContent = 'Pause';
  }

  function play() {
    if (playing) { stop(); return; }
    playing = setTimeout(on, 0);
    seen().querySelector('[data-play] span').textContent = 'Pause';
  }

  function instant(range) {
    const at = new Date(Date.parse(seen().dataset.start) + 1000 * range.value);
    return at.toISOString().slice(0, 19) + 'Z';
  }

  function drag(range) {
    const share = 100 * range.value / range.max;
    const needle = seen().querySelector('.needle');
    needle.setAttribute('x1', `${share}%`);
    needle.setAttribute('x2', `${share}%`);
    seen().querySelector('.flag-at').setAttribute('x', `${share}%`);
  }

  function wake() {
    seen().querySelectorAll('[data-play],[data-print],.rng').forEach((one) => { one.hidden = false; });
  }

  document.addEventListener('click', (event) => {
    const link = event.target.closest('#seen [data-step]');
    if (link && !(event.metaKey || event.ctrlKey || event.shiftKey || event.button)) {
      event.preventDefault();
      stop();
      to(link.href, { focus: link.dataset.step });
    } else if (event.target.closest('#seen [data-play]')) play();
    else if (event.target.closest('#seen [data-print]')) print();
  });
  document.addEventListener('input', (event) => { if (event.target.matches('#seen .rng')) drag(event.target); });
  document.addEventListener('change', (event) => {
    if (!event.target.matches('#seen .rng')) return;
    stop();
    to(`${seen().dataset.here}${instant(event.target)}?${seen().dataset.keep}`, { focus: 'range' });
  });
  document.addEventListener('keydown', (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.target.closest('input:not(.rng),textarea,select')) return;
    const name = { ArrowLeft: 'back', ArrowRight: 'on', d: 'difference', D: 'difference' }[event.key];
    const press = event.target.closest('a,button,summary');
    if (name) {
      event.preventDefault();
      stop();
      const link = step(name);
      if (link) to(link.href, { focus: event.target.matches('.rng') ? 'range' : '' });
    } else if (event.key === ' ' && !press) {
      event.preventDefault();
      play();
    }
  });
  addEventListener('popstate', () => { stop(); to(location.href, { remember: false }); });
  wake();
})();

// Plays the record: moves the needle smoothly, asks for the instant as often as answers come back.
(() => {
  const main = document.querySelector('main.replay');
  const range = main.querySelector('.rng'), needle = main.querySelector('.needle'), clock = document.getElementById('clock');
  const speed = document.getElementById('speed'), word = main.querySelector('[data-play] span');
  const start = Date.parse(main.dataset.start), end = Date.parse(main.dataset.end), newest = Date.parse(main.dataset.newest);
  const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
  const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  const frame = () => document.getElementById('frame');
  let at = Date.parse(frame().dataset.at), playing = false, last = 0, asking = false, wanted = null;

  const iso = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z');
  function said(ms) {
    const d = new Date(ms), two = (n) => String(n).padStart(2, '0');
    return `${DAYS[d.getUTCDay()]} ${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}, ` +
      `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
  }
  function draw() {
    const share = 100 * (at - start) / (end - start);
    needle.setAttribute('x1', `${share}%`);
    needle.setAttribute('x2', `${share}%`);
    clock.textContent = said(at);
    clock.dateTime = iso(at);
    range.value = Math.round((at - start) / 1000);
    range.setAttribute('aria-valuetext', said(at));
  }
  async function ask(moment, focus = '') {
    wanted = { moment, focus };
    if (asking) return;
    asking = true;
    while (wanted) {
      const now = wanted;
      wanted = null;
      const query = `/audit/replay/frame?${main.dataset.query}&q=${main.dataset.question}&at=${encodeURIComponent(now.moment)}`;
      let answer, text;
      try {
        answer = await fetch(query, { headers: { 'HX-Request': 'true' }, cache: 'no-store' });
        text = await answer.text();
      } catch { halt(); break; }
      if (!answer.ok || !text.includes('id="frame"')) { location.assign(`/audit/replay?${main.dataset.query}&at=${now.moment}`); return; }
      if (wanted && !playing) continue;
      await htmx.swap({ target: '#frame', swap: 'outerHTML', text, sourceElement: document.body });
      if (now.focus) main.querySelector(`[data-step=${now.focus}]`)?.focus({ preventScroll: true });
    }
    asking = false;
    if (!playing) history.replaceState(null, '', `/audit/replay?${main.dataset.query}&at=${encodeURIComponent(frame().dataset.at)}`);
  }
  function halt() { playing = false; word.textContent = 'Play'; }
  function turn(time) {
    if (!playing) return;
    at = Math.min(newest, at + (time - (last || time)) * speed.value);
    last = time;
    draw();
    if (!asking) ask(iso(Math.round(at)));
    if (at >= newest) { halt(); ask(iso(Math.round(at))); return; }
    requestAnimationFrame(turn);
  }
  function play() {
    if (playing) { halt(); ask(iso(Math.round(at))); return; }
    if (at >= newest - 1000) at = start;
    playing = true;
    last = 0;
    word.textContent = 'Pause';
    requestAnimationFrame(turn);
  }
  function step(name) {
    const link = main.querySelector(`[data-step=${name}]`);
    if (!link) return;
    halt();
    const moment = new URL(link.href).searchParams.get('at');
    at = Date.parse(moment);
    draw();
    ask(moment, document.activeElement === link ? name : '');
  }
  main.addEventListener('click', (event) => {
    const link = event.target.closest('[data-step]');
    if (link && !(event.metaKey || event.ctrlKey || event.shiftKey || event.button)) {
      event.preventDefault();
      link.focus();
      step(link.dataset.step);
    } else if (event.target.closest('[data-play]')) play();
  });
  range.addEventListener('input', () => { halt(); at = start + 1000 * range.value; draw(); ask(iso(at)); });
  document.addEventListener('keydown', (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.target.closest('input,select,textarea')) return;
    const name = { ArrowLeft: 'back', ArrowRight: 'on' }[event.key];
    if (name) { event.preventDefault(); step(name); }
    else if (event.key === ' ' && !event.target.closest('a,button,summary')) { event.preventDefault(); play(); }
  });
  main.querySelectorAll('[data-play],[data-pace],.rng').forEach((one) => { one.hidden = false; });
  range.max = Math.round((end - start) / 1000);
})();

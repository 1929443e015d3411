// Steps through instants without reloading: every step is a link that works without this file as well.
const PACE = 1600; // ms between two steps of playing
let playing = 0; // the timer of the next step
let asked = 0; // how many were asked for; only the newest answer counts

const seen = () => document.getElementById('seen');
const link = (name) => seen().querySelector(`[data-step=${name}]`);
const wake = () => steps.wake(seen(), '[data-play],[data-print],.rng');

function say(word) {
  const span = seen().querySelector('[data-play] span');
  if (span) span.textContent = word;
}

function focusOn(name) {
  const target = name === 'range' ? seen().querySelector('.rng') : link(name);
  if (target) target.focus({ preventScroll: true });
}

async function to(url, { remember = true, focus = '' } = {}) {
  const mine = ++asked;
  let found;
  try {
    found = await steps.ask(url);
  } catch {
    if (mine === asked) location.assign(url);
    return;
  }
  if (mine !== asked) return;
  if (!steps.has('seen', found)) {
    location.assign(url);
    return;
  }
  await steps.swap('seen', found.text);
  if (remember) history.pushState(null, '', found.answer.url);
  wake();
  if (focus) focusOn(focus);
}

function stop() {
  clearTimeout(playing);
  playing = 0;
  say('Play');
}

async function next() {
  const following = link('on');
  if (!following) {
    stop();
    return;
  }
  await to(following.href);
  if (!playing) return;
  playing = setTimeout(next, PACE);
  say('Pause');
}

function play() {
  if (playing) {
    stop();
    return;
  }
  playing = setTimeout(next, 0);
  say('Pause');
}

function instant(range) {
  const at = new Date(Date.parse(seen().dataset.start) + 1000 * range.value);
  return `${at.toISOString().slice(0, 19)}Z`;
}

// Put the flag over an instant, inside the lanes; as _flag() in web/seen/page.py does.
function flag(share, time) {
  const shift = share > 5 && share < 95 ? -33 : share <= 5 ? -6 : -60;
  seen().querySelector('.flag-at').setAttribute('x', `${share}%`);
  seen().querySelector('.flag').setAttribute('x', shift);
  const text = seen().querySelector('.flag-t');
  text.setAttribute('x', shift + 33);
  text.textContent = time;
}

// Move the needle, and say where it is. What stands below is still of the instant before: it is dimmed.
function drag(range) {
  const share = 100 * range.value / range.max;
  const at = instant(range);
  const { day, time } = steps.there(Date.parse(at), seen().dataset.zone);
  const head = seen().querySelector('.scrub-bar .at time');
  steps.point(seen().querySelector('.needle'), share);
  flag(share, time);
  head.textContent = `${day}, ${time}`;
  head.dateTime = at;
  range.setAttribute('aria-valuetext', `${day}, ${time}`);
  seen().classList.toggle('moving', range.value !== range.defaultValue);
}

function step(name, event) {
  stop();
  const wanted = link(name);
  if (wanted) to(wanted.href, { focus: event.target.matches('.rng') ? 'range' : '' });
}

document.addEventListener('click', (event) => {
  const wanted = steps.clicked(event, '#seen [data-step]');
  if (wanted) {
    event.preventDefault();
    stop();
    to(wanted.href, { focus: wanted.dataset.step });
  } else if (event.target.closest('#seen [data-play]')) {
    play();
  } else if (event.target.closest('#seen [data-print]')) {
    print();
  }
});

document.addEventListener('input', (event) => {
  if (event.target.matches('#seen .rng')) drag(event.target);
});

document.addEventListener('change', (event) => {
  if (!event.target.matches('#seen .rng')) return;
  stop();
  to(`${seen().dataset.here}${instant(event.target)}?${seen().dataset.keep}`, { focus: 'range' });
});

steps.onKeys({
  names: { ArrowLeft: 'back', ArrowRight: 'on', d: 'difference', D: 'difference' },
  typing: 'input:not(.rng),textarea,select',
  step,
  play,
});

addEventListener('popstate', () => {
  stop();
  to(location.href, { remember: false });
});

wake();

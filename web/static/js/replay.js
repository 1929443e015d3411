// Plays the record: moves the needle smoothly, asks for the instant as often as answers come back.
const main = document.querySelector('main.replay');
const range = main.querySelector('.rng');
const needle = main.querySelector('.needle');
const clock = document.getElementById('clock');
const speed = document.getElementById('speed');
const word = main.querySelector('[data-play] span');
const start = Date.parse(main.dataset.start);
const end = Date.parse(main.dataset.end);
const newest = Date.parse(main.dataset.newest);

const frame = () => document.getElementById('frame');
const iso = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z');
const here = (moment) => `/audit/replay?${main.dataset.query}&at=${moment}`;

let at = Date.parse(frame().dataset.at); // where the needle is
let playing = false;
let last = 0; // when the needle last moved by itself
let asking = false;
let wanted = null; // what to ask for when the answer under way is there

function said(ms) {
  const { day, time } = steps.there(ms, 'UTC');
  return `${day}, ${time}`;
}

function draw() {
  steps.point(needle, 100 * (at - start) / (end - start));
  clock.textContent = said(at);
  clock.dateTime = iso(at);
  range.value = Math.round((at - start) / 1000);
  range.setAttribute('aria-valuetext', said(at));
}

function address(moment) {
  const { query, question } = main.dataset;
  return `/audit/replay/frame?${query}&q=${question}&at=${encodeURIComponent(moment)}`;
}

async function ask(moment, focus = '') {
  wanted = { moment, focus };
  if (asking) return;
  asking = true;
  while (wanted) {
    const now = wanted;
    wanted = null;
    let found;
    try {
      found = await steps.ask(address(now.moment));
    } catch {
      halt();
      break;
    }
    if (!steps.has('frame', found)) {
      location.assign(here(now.moment));
      return;
    }
    if (wanted && !playing) continue;
    await steps.swap('frame', found.text);
    if (now.focus) main.querySelector(`[data-step=${now.focus}]`)?.focus({ preventScroll: true });
  }
  asking = false;
  if (!playing) history.replaceState(null, '', here(encodeURIComponent(frame().dataset.at)));
}

function askHere() {
  ask(iso(Math.round(at)));
}

function halt() {
  playing = false;
  word.textContent = 'Play';
}

function turn(time) {
  if (!playing) return;
  at = Math.min(newest, at + (time - (last || time)) * speed.value);
  last = time;
  draw();
  if (!asking) askHere();
  if (at >= newest) {
    halt();
    askHere();
    return;
  }
  requestAnimationFrame(turn);
}

function play() {
  if (playing) {
    halt();
    askHere();
    return;
  }
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
  const link = steps.clicked(event, '[data-step]');
  if (link) {
    event.preventDefault();
    link.focus();
    step(link.dataset.step);
  } else if (event.target.closest('[data-play]')) {
    play();
  }
});

range.addEventListener('input', () => {
  halt();
  at = start + 1000 * range.value;
  draw();
  ask(iso(at));
});

steps.onKeys({
  names: { ArrowLeft: 'back', ArrowRight: 'on' },
  typing: 'input,select,textarea',
  step,
  play,
});

steps.wake(main, '[data-play],[data-pace],.rng');
range.max = Math.round((end - start) / 1000);

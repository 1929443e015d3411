// What stepping through a record takes, on whatever page: markup asked for and put in, the needle, clicks and keys.
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const clocks = {}; // by zone: what tells the numbers of an instant there

const steps = {
  FRAGMENT: { headers: { 'HX-Request': 'true' }, cache: 'no-store' },

  // Return the answer and its text; throws where there is no connection.
  async ask(url) {
    const answer = await fetch(url, steps.FRAGMENT);
    return { answer, text: await answer.text() };
  },

  has(id, { answer, text }) {
    return answer.ok && text.includes(`id="${id}"`);
  },

  swap(id, text) {
    return htmx.swap({ target: `#${id}`, swap: 'outerHTML', text, sourceElement: document.body });
  },

  // Return the day and the time of an instant (ms) in a time zone, as the pages say them: to the second.
  there(ms, zone) {
    clocks[zone] ??= new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    });
    const at = Object.fromEntries(clocks[zone].formatToParts(new Date(ms)).map((part) => [part.type, part.value]));
    const weekday = DAYS[new Date(Date.UTC(at.year, at.month - 1, at.day)).getUTCDay()];
    const day = `${weekday} ${Number(at.day)} ${MONTHS[at.month - 1]} ${at.year}`;
    return { day, time: `${at.hour}:${at.minute}:${at.second}` };
  },

  // Put the needle at a share of the whole, in per cent.
  point(needle, share) {
    needle.setAttribute('x1', `${share}%`);
    needle.setAttribute('x2', `${share}%`);
  },

  // Return the link that was clicked, unless it should open elsewhere.
  clicked(event, selector) {
    const link = event.target.closest(selector);
    return link && !(event.metaKey || event.ctrlKey || event.shiftKey || event.button) ? link : null;
  },

  // Call `step` with what a key is called, and `play` for the space bar, except where somebody types.
  onKeys({ names, typing, step, play }) {
    document.addEventListener('keydown', (event) => {
      if (event.metaKey || event.ctrlKey || event.altKey || event.target.closest(typing)) return;
      const name = names[event.key];
      if (name) {
        event.preventDefault();
        step(name, event);
      } else if (event.key === ' ' && !event.target.closest('a,button,summary')) {
        event.preventDefault();
        play();
      }
    });
  },

  // Show what is of use with scripts only.
  wake(within, selector) {
    for (const one of within.querySelectorAll(selector)) one.hidden = false;
  },
};

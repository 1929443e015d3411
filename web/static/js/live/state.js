// Where the page stands: live, paused, reconnecting, out of date, signed out or ended. All of it is chrome.
const state = (() => {
  const SILENCE = 45000; // ms without a message before a connection counts as lost, also one that never opened
  const BLIP = 2000; // ms of loss before it is said
  const STALE = 60000; // ms of loss before the page is out of date

  let name = '';
  let heard = Date.now(); // when a message last came
  let lost = 0; // since when there is no connection; 0 while there is one
  let over = false; // signed out or ended: nothing follows

  function headline() {
    const h1 = document.querySelector('#lead h1');
    const project = document.querySelector('#lead .proj');
    return h1 ? `${project.textContent}: ${h1.firstChild.textContent.trim()}` : page.title;
  }

  function show(next) {
    if (name === next && next !== 'stale') return;
    name = next;
    page.root.dataset.state = next;
    for (const node of document.querySelectorAll('[data-when]')) {
      node.hidden = !node.dataset.when.split(' ').includes(next);
    }
    document.title = next === 'stale' ? words.say('Out of date: {headline}', { headline: headline() }) : headline();
  }

  function length(ms) {
    const minutes = Math.round(ms / 60000);
    if (minutes < 2) return words.say('a minute');
    if (minutes < 120) return words.count('{n} minute', minutes, { n: minutes });
    const hours = Math.round(minutes / 60);
    return words.count('{n} hour', hours, { n: hours });
  }

  function look() {
    today.draw();
    if (over) return;
    if (!lost && Date.now() - heard > SILENCE) {
      lost = heard + SILENCE;
      feed.close();
    }
    if (lost && Date.now() - lost > STALE) {
      page.byId('age').textContent = length(Date.now() - heard);
      show('stale');
    } else if (lost && Date.now() - lost > BLIP) {
      show('reconnecting');
    } else if (!lost) {
      show(buttons.paused() ? 'paused' : 'live');
    }
  }

  function retitle() {
    if (name !== 'stale') document.title = headline();
  }

  return {
    show,
    look,
    retitle,
    is: (other) => name === other,
    heard: () => {
      heard = Date.now();
    },
    connected: () => {
      heard = Date.now();
      lost = 0;
    },
    lost: () => {
      lost ||= Date.now();
    },
    over: (last) => {
      over = true;
      show(last);
    },
  };
})();

// What a screen reader is told of updates: the last three sentences, at most every ten seconds.
const speech = (() => {
  const PAUSE = 10000;
  const sayings = [];
  let saidAt = 0;
  let timer = 0;

  function later() {
    timer = 0;
    say();
  }

  function say() {
    if (!sayings.length) return;
    const wait = saidAt + PAUSE - Date.now();
    if (wait > 0) {
      timer ||= setTimeout(later, wait);
      return;
    }
    page.byId('say').textContent = sayings.splice(0).slice(-3).join('. ');
    saidAt = Date.now();
  }

  return {
    add(sentence) {
      sayings.push(sentence);
      say();
    },
  };
})();

// Where today lies on the milestones' axis, in the share's time zone, and for how many days each overdue date has
// passed. It is chrome, and moves while a page stays open.
const today = {
  draw() {
    const now = new Date(new Date().toLocaleDateString('en-CA', { timeZone: page.feed.dataset.zone }));
    for (const late of document.querySelectorAll('.sofar[data-due]')) {
      const days = Math.round((now - new Date(late.dataset.due)) / 86400000);
      const said = days > 0 ? words.count('{days} day so far', days, { days }) : '';
      if (late.dataset.days !== said) late.dataset.days = said;
    }
    const table = document.querySelector('table.ms[data-from]');
    if (!table) return;
    const from = new Date(table.dataset.from);
    const to = new Date(table.dataset.to);
    const along = (now - from) / (to - from);
    const at = words.mirrored ? 1 - along : along;
    const away = words.mirrored ? '9999px' : '-9999px';
    page.root.style.setProperty('--today', at >= 0 && at <= 1 ? `${(100 * at).toFixed(2)}%` : away);
  },
};

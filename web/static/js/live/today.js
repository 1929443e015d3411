// Where today lies on the milestones' axis, in the share's time zone. It is chrome, and moves while a page stays open.
const today = {
  draw() {
    const table = document.querySelector('table.ms[data-from]');
    if (!table) return;
    const now = new Date(new Date().toLocaleDateString('en-CA', { timeZone: page.feed.dataset.zone }));
    const from = new Date(table.dataset.from);
    const to = new Date(table.dataset.to);
    const at = (now - from) / (to - from);
    page.root.style.setProperty('--today', at >= 0 && at <= 1 ? `${(100 * at).toFixed(2)}%` : '-9999px');
  },
};

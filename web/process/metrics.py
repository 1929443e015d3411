"""Metrics for Prometheus.

Rule: counts and times only, never a name, a share or a person.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from domain.language import N_, Said
from domain.language import gettext as _
from projections.entries.entry import Entry
from web.process.health import Health
from web.push.live import Live

GAUGES = {  # by metric: the field of the health report, and the help text
    "open_dashboards": ("dashboards", N_("Dashboards that are open on this process.")),
    "events_behind": ("events_behind", N_("Events recorded that the follower has not taken in.")),
    "follower_stuck_seconds": ("seconds_behind", N_("Seconds for which the follower has made no progress with them.")),
    "entries_behind": ("entries_behind", N_("Entries recorded that this process has not handed on.")),
    "stopped_shares": ("stopped", N_("Shares that are stopped until somebody mends them.")),
    "receipts_waiting": ("receipts_waiting", N_("Reports of browsers that are not recorded yet.")),
    "unsigned_trees": ("unsigned", N_("Trees of which nothing is signed because something does not agree.")),
    "hints_away": ("hints_away", N_("1 where the Redis that is set is not heard, so that updates come by polling.")),
    "leads": ("leads", N_("1 where this process makes the updates.")),
    "term": ("term", N_("The follower's term; it grows with every change of process.")),
    "ready": ("ready", N_("1 where requests should come to this process.")),
    "ok": ("ok", N_("1 where the installation is well.")),
}
PUSHED = Said(
    {  # help texts by field of the push layer's counts
        "joined": N_("Dashboards that came."),
        "rounds": N_("Rounds: one write for everybody who is up to date."),
        "behind": N_("Times a page fell behind its connection."),
        "log_reads": N_("Reads of the log for pages."),
        "views": N_("Whole views sent."),
        "resets": N_("Pages told to start over."),
        "refused": N_("Reports of more than was sent."),
        "aborted": N_("Connections that had to be cut."),
    }
)


class Deliveries:
    """Counts the entries handed to the push layer, and measures how long after their record that was."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.registry = CollectorRegistry()
        self._sent = Counter("fanlight_entries_sent", _("Entries handed to the push layer."), registry=self.registry)
        self._after = Histogram(
            "fanlight_commit_to_send_seconds",
            _("From an entry's time of record, by the follower's clock, to its hand-over to the push layer."),
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=self.registry,
        )

    def sent(self, entries: Sequence[Entry]) -> None:
        """Count entries that were handed to the push layer just now."""
        now = self._clock()
        self._sent.inc(len(entries))
        for entry in entries:
            self._after.observe(max(0.0, (now - entry.content.at).total_seconds()))


class Metrics(Collector):
    """All metrics of one process, in the registry of its deliveries. `failed`: how many sources of plans fail."""

    def __init__(self, health: Health, live: Live, deliveries: Deliveries, failed: Callable[[], int]) -> None:
        self._health, self._live, self._registry, self._failed = health, live, deliveries.registry, failed
        self._registry.register(self)

    def describe(self) -> list[Metric]:
        """Return nothing, so that the registry does not collect at registration."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the health report and the counts of the push layer as gauges."""
        report = self._health.report()
        for name, (field, text) in GAUGES.items():
            yield GaugeMetricFamily(f"fanlight_{name}", text, value=float(getattr(report, field)))
        yield GaugeMetricFamily(
            "fanlight_failed_sources", _("Sources of plans that fail."), value=float(self._failed())
        )
        for field, text in PUSHED.items():
            yield GaugeMetricFamily(f"fanlight_push_{field}", text, value=getattr(self._live.counts, field))

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self._registry)

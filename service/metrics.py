"""Prometheus metrics, read from rows when somebody asks: every process gives the same numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from service.db import Database
from service.queries import liveness, metrics

MEDIA = "text/plain; version=0.0.4; charset=utf-8"


class Rows:
    """Collects what the tables say."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def collect(self) -> Iterator[Metric]:
        """One look at the database."""
        began = time.perf_counter()
        with self.database.transaction(readonly=True) as session:
            found = metrics.numbers(session)
            workers = liveness.workers(session)
            live: dict[str, int] = {}
            for one in liveness.findings(session):
                live[one.cause] = live.get(one.cause, 0) + 1
        yield from _cases(found)
        yield from _work(found)
        yield _gauge("guohe_liveness_violations", "Running cases without a live next mover, by cause.", ["cause"], live)
        alive = GaugeMetricFamily("guohe_workers_alive", "Workers heard of in the last half minute.")
        alive.add_metric([], sum(one.alive for one in workers))
        yield alive
        skew = GaugeMetricFamily("guohe_clock_skew_seconds", "How far workers' clocks are from the database's.")
        skew.add_metric([], max((abs(one.skew) for one in workers if one.alive), default=0.0))
        yield skew
        took = GaugeMetricFamily("guohe_scrape_seconds", "How long reading these numbers took.")
        took.add_metric([], time.perf_counter() - began)
        yield took


def _gauge(name: str, text: str, labels: list[str], values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for label, value in values.items():
        family.add_metric([label], value)
    return family


def _cases(found: metrics.Numbers) -> Iterator[Metric]:
    yield _gauge("guohe_instances", "Cases by status.", ["status"], found.instances)
    yield _gauge("guohe_incidents_open", "Open incidents by cause.", ["cause"], found.incidents)
    yield _gauge("guohe_symptoms", "Cases that somebody should look at, by kind.", ["kind"], found.symptoms)


def _work(found: metrics.Numbers) -> Iterator[Metric]:
    labels = ["process", "element"]
    tasks = GaugeMetricFamily("guohe_tasks_open", "Open tasks by step.", labels=labels)
    late = GaugeMetricFamily("guohe_tasks_overdue", "Overdue tasks by step.", labels=labels)
    age = GaugeMetricFamily("guohe_task_oldest_seconds", "Age of the oldest open task of a step.", labels=labels)
    for process, element, _name, open_, overdue, oldest in found.open_tasks:
        tasks.add_metric([process, element], open_)
        late.add_metric([process, element], overdue)
        age.add_metric([process, element], oldest)
    yield from (tasks, late, age)
    jobs = GaugeMetricFamily("guohe_jobs", "Jobs that are not over.", labels=["kind", "status"])
    for (kind, status), count in found.jobs.items():
        jobs.add_metric([kind, status], count)
    yield jobs
    lag = GaugeMetricFamily("guohe_job_lag_seconds", "How long the longest waiting due job has waited.")
    lag.add_metric([], found.job_lag)
    yield lag
    steps = GaugeMetricFamily(
        "guohe_step_seconds", "How long a step usually takes.", labels=["process", "element", "quantile"]
    )
    done = CounterMetricFamily("guohe_step_done", "Tasks handed in in the last year.", labels=labels)
    for process, element, median, p95, count in found.steps:
        steps.add_metric([process, element, "0.5"], median)
        steps.add_metric([process, element, "0.95"], p95)
        done.add_metric([process, element], count)
    yield from (steps, done)


class Requests:
    """How long pages and calls take in this process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.seconds = Histogram(
            "guohe_request_seconds",
            "How long a request took.",
            ["endpoint", "status"],
            registry=registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
        )

    def observe(self, endpoint: str, status: int, seconds: float) -> None:
        """Count one request."""
        self.seconds.labels(endpoint, f"{status // 100}xx").observe(seconds)


def reporter(database: Database) -> tuple[Callable[[], tuple[bytes, str]], Requests]:
    """What ``/metrics`` answers with, and what counts requests."""
    registry = CollectorRegistry()
    registry.register(Rows(database))
    requests = Requests(registry)
    return lambda: (generate_latest(registry), MEDIA), requests

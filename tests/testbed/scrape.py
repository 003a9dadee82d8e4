# -*- coding: utf-8 -*-
"""A page of metrics, as Prometheus' own parser reads it."""
import urllib.request

from prometheus_client.parser import text_string_to_metric_families


class Page:
    """The samples of one scrape: `page.sum('oe_cluster_requests_total', kind='static')`."""

    def __init__(self, text):
        self.text = text
        self.families = list(text_string_to_metric_families(text))
        self.samples = [sample for family in self.families for sample in family.samples]

    def sum(self, name, **labels):
        """All samples of that name that have these labels, added up; KeyError without any."""
        found = [sample.value for sample in self.samples if sample.name == name
                 and all(sample.labels.get(key) == value for key, value in labels.items())]
        if not found:
            raise KeyError(name)
        return sum(found)

    def names(self):
        """The names of all samples."""
        return set(sample.name for sample in self.samples)


def scrape(url):
    """The page that a node shows now."""
    with urllib.request.urlopen(url + '/_cluster/metrics', timeout=10) as answer:
        assert answer.headers['Content-Type'].startswith('text/plain; version=0.0.4')
        return Page(answer.read().decode())


class Difference:
    """What has been counted since: `since = Difference(url)`, then `since('oe_…_total', kind='page')`."""

    def __init__(self, url):
        self.url = url
        self.before = scrape(url)

    def __call__(self, name, **labels):
        return scrape(self.url).sum(name, **labels) - self.before.sum(name, **labels)

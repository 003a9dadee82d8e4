# -*- coding: utf-8 -*-
"""What all benchmarks share.

    figures     medians, spreads, ratios of interleaved samples: pure functions
    run         one run: its series, where it was made, as JSON
    lab         the services of one run, and the clock that keeps it under its budget
    systems     the four systems that are compared, each behind an nginx of its own
    wrk         the load generator; workloads: the requests it sends
    targets     what the project promises, and whether a run keeps it
    machine     processor, memory and versions
    tables, plots, pages     Markdown and SVG
    compare     a run against the committed one
"""

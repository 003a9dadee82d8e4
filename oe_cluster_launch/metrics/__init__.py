# -*- coding: utf-8 -*-
"""What a node counts and measures, for Prometheus and statsd.

`table.py` is the list: every metric is one object there, and whoever counts
calls it (`table.REQUESTS.count('xmlrpc', '2xx')`). `families.py` is what such an
object is, `files.py` the files that the processes of a node write into, `page.py`
what is shown of them. Until `page.start` was called, and with `metrics = off`, every
call does nothing. Any layer may import it; it knows none of them.
"""

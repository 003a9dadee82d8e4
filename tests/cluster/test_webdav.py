# -*- coding: utf-8 -*-
"""WebDAV on two servers: what one has written, the other lists (fault 22)."""
import re
import time

import requests
from testbed.clients import XmlRpcClient

LIST = '<propfind xmlns="DAV:"><prop><getcontentlength/></prop></propfind>'
#: two to five times what OpenERP alone needs to show its first old answer
LISTS = 240


class Folder(object):
    """One user's view of the database's documents through one server."""

    def __init__(self, server, database):
        # document_webdav takes part once the registry is loaded
        XmlRpcClient(server.url, database).call('res.users', 'search', [])
        self._url = '%s/webdav/%s/Documents/witness.txt' % (server.url, database)

    def write(self, size):
        """Make the file that many bytes long."""
        answer = requests.put(self._url, data=b'x' * size, auth=('admin', 'admin'), timeout=30)
        assert answer.status_code == 201, answer.text

    def listed_size(self):
        """How long the file is said to be."""
        answer = requests.request('PROPFIND', self._url, data=LIST, auth=('admin', 'admin'), timeout=30,
                                  headers={'Depth': '0', 'Content-Type': 'text/xml'})
        assert answer.status_code == 207, answer.text
        return int(re.search(r'getcontentlength[^>]*>(\d+)<', answer.text).group(1))


def old_answers(writer, reader, lists, enough, seconds=90):
    """Write through one server and list through the other: [(listed, written)] where they differ."""
    writer, reader = Folder(*writer), Folder(*reader)
    differing, until = [], time.monotonic() + seconds
    for number in range(lists):
        if number % 3 == 0:
            writer.write(10 + number)
            written = 10 + number
        listed = reader.listed_size()
        if listed != written:
            differing.append((listed, written))
        if len(differing) >= enough or time.monotonic() > until:
            break
    return differing


def test_a_file_is_listed_as_it_was_written_through_another_node(cluster):
    made = cluster(nodes=2, workers=1)
    one, other = ((node, made.database) for node in made.nodes)
    assert old_answers(one, other, LISTS, enough=1) == []


def test_two_stock_servers_list_a_file_as_it_was(stock):
    """The contrast: the handler's address is the key of what it remembers, and comes again."""
    one = stock(workers=1)
    other = stock(workers=1, database=one.database)
    assert old_answers((one, one.database), (other, one.database), lists=5000, enough=1)

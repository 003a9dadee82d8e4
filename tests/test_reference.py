# -*- coding: utf-8 -*-
"""docs/reference.md says what the code says."""
import io
import os
import subprocess
import sys

DOCS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'docs')


def test_the_reference_page_is_what_the_code_generates():
    generated = subprocess.check_output([sys.executable, os.path.join(DOCS, 'generate_reference.py')])
    with io.open(os.path.join(DOCS, 'reference.md'), encoding='utf-8') as committed:
        assert committed.read() == generated.decode('utf-8'), (
            "run: python3 docs/generate_reference.py > docs/reference.md")

# -*- coding: utf-8 -*-
"""Fill in a file of `templates/`. Jinja2, which the host needs anyway, does the work."""
import os

from oe_cluster_launch.compat import native
from oe_cluster_launch.errors import UsageError

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'templates')


def render(name, **values):
    """The text of the template `name`; a value that is missing is an error of ours.

    :raises UsageError: Jinja2 is not installed
    """
    try:
        import jinja2
    except ImportError:
        raise UsageError("This command needs Jinja2, as OpenERP does: pip install Jinja2")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    return native(environment.get_template(name).render(**values))

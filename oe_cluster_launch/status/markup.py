# -*- coding: utf-8 -*-
"""HTML that is escaped by construction: text goes in, only tags made here come out unescaped."""
from oe_cluster_launch.compat import text_type, to_text

_VOID = ('meta', 'link')


class Markup(object):
    """A piece of HTML that is one already."""

    def __init__(self, html):
        self.html = html


def escaped(value):
    """A text, a Markup, or a list of such, as HTML."""
    if isinstance(value, Markup):
        return value.html
    if isinstance(value, (list, tuple)):
        return u''.join(escaped(each) for each in value)
    text = to_text(value) if isinstance(value, bytes) else text_type(value)
    for character, entity in ((u'&', u'&amp;'), (u'<', u'&lt;'), (u'>', u'&gt;'), (u'"', u'&quot;'),
                              (u"'", u'&#39;')):
        text = text.replace(character, entity)
    return text


def tag(name, *content, **attributes):
    """One element. `class_` is class, `aria_x` is aria-x; an attribute that is None is left out."""
    html = u'<%s' % name
    for key, value in sorted(attributes.items()):
        if value is not None:
            html += u' %s="%s"' % (key.rstrip('_').replace('_', '-'), escaped(value))
    if name in _VOID:
        return Markup(html + u'>')
    return Markup(html + u'>' + escaped(content) + u'</%s>' % name)

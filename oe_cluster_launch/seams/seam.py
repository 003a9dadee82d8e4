# -*- coding: utf-8 -*-
"""The mechanism of the seam table: check every seam, then install all, or none.

A seam replaces one attribute of the host by one of ours. Nothing else in this
project assigns into the host. A host that differs from the one the table was
written for stops the boot with a sentence; it is never half patched.
The idea of one line per seam, a version gate and symmetric removal is
OpenTelemetry instrumentation's; checking everything first is ours.
"""
import importlib
import logging

from oe_cluster_launch.errors import HostMismatch

#: installed before the host imports its first addon, which may bind what we replace
BEFORE_ADDONS = 'before addons'
#: installed when the host's addons and services are there
AFTER_ADDONS = 'after addons'

_logger = logging.getLogger(__name__)
_ABSENT = object()


class Seam(object):
    """One attribute of the host that we replace.

    :param name: what an operator reads in `oe-cluster-launch seams` and in errors
    :param owner: a module's name, or a function that returns the owning object
    :param attribute: dotted path below the owner, such as `RegistryManager.new`
    :param expected: a shape of `shape.py`
    :param replace: function (original, context) -> replacement
    :param why: what breaks without it
    :param phase: BEFORE_ADDONS or AFTER_ADDONS
    :param setting: the boolean setting that turns it off, if any
    :param optional: silent when the owner's module is not there, as for an addon
    """

    def __init__(self, name, owner, attribute, expected, replace, why,
                 phase=AFTER_ADDONS, setting=None, optional=False):
        self.name = name
        self.owner = owner
        self.attribute = attribute
        self.expected = expected
        self.replace = replace
        self.why = why
        self.phase = phase
        self.setting = setting
        self.optional = optional

    def __repr__(self):
        return "<Seam %s>" % self.name

    @property
    def target(self):
        """The place in words: module and dotted attribute."""
        owner = self.owner if isinstance(self.owner, str) else self.owner.__name__
        return '%s:%s' % (owner, self.attribute)

    def wanted(self, settings):
        """Whether the settings leave this seam on."""
        return self.setting is None or bool(getattr(settings, self.setting))

    def find(self):
        """The owning object and the attribute's last name. LookupError when it is not there."""
        if callable(self.owner):
            owner = self.owner()
        else:
            try:
                owner = importlib.import_module(self.owner)
            except ImportError as error:
                raise LookupError("cannot be imported: %s" % error)
        if owner is None:
            raise LookupError("is not there")
        path = self.attribute.split('.')
        for name in path[:-1]:
            if not hasattr(owner, name):
                raise LookupError("has no %s" % name)
            owner = getattr(owner, name)
        return owner, path[-1]

    def fault(self):
        """None when the host has what we expect, else what differs. Changes nothing."""
        try:
            owner, name = self.find()
        except LookupError as error:
            return None if self.optional else str(error)
        if not hasattr(owner, name):
            return "has no %s" % name
        return self.expected.fault(getattr(owner, name))

    def absent(self):
        """Whether an optional seam has nothing to replace."""
        if not self.optional:
            return False
        try:
            self.find()
        except LookupError:
            return True
        return False


class Installed(object):
    """A seam in place, and all that is needed to take it out again."""

    def __init__(self, seam, context):
        self.seam = seam
        self.holder, self.name = seam.find()
        #: as stored, so that class and static methods come back as they were
        self.stored = vars(self.holder).get(self.name, _ABSENT)
        self.original = getattr(self.holder, self.name)
        setattr(self.holder, self.name, seam.replace(self.original, context))

    def remove(self):
        if self.stored is _ABSENT:
            delattr(self.holder, self.name)
        else:
            setattr(self.holder, self.name, self.stored)


class SeamTable(object):
    """The seams of one host, and which of them are in place in this process.

    Used by the master before it forks; workers inherit the result.
    """

    def __init__(self, seams):
        self.seams = list(seams)
        self.installed = []

    def install(self, phase, context):
        """Check all wanted seams of a phase, then install them all.

        :raises HostMismatch: naming every seam that does not fit; all seams
            of earlier phases are removed again, so the host is as it was
        """
        seams = [seam for seam in self.seams
                 if seam.phase == phase and seam.wanted(context.settings)]
        faults = [(seam, seam.fault()) for seam in seams]
        faults = [(seam, fault) for seam, fault in faults if fault]
        if faults:
            self.remove()
            raise HostMismatch(
                "This is not the host the seams were written for; nothing was changed:\n%s\n"
                "Remedy: run the OpenERP 7.0 this launcher supports, or turn the seam's setting off."
                % '\n'.join("  seam %s: %s %s" % (seam.name, seam.target, fault)
                            for seam, fault in faults))
        try:
            for seam in seams:
                if not seam.absent():
                    self.installed.append(Installed(seam, context))
        except Exception:
            self.remove()
            raise
        _logger.info("%d seams installed (%s)", len(self.installed), phase)

    def remove(self):
        """Take every installed seam out again, last in, first out."""
        while self.installed:
            self.installed.pop().remove()

# -*- coding: utf-8 -*-
"""One file per subcommand: NAME, HELP, add_arguments(parser), run(arguments, settings).

`run` prints its answer and returns an exit code; whatever an operator can
mend it raises as a LaunchError. Only `run`, `check` and `sessions import` import the
host. `check` has READS_SETTINGS = False and gets None: wrong settings are what it looks for.
"""

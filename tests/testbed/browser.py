# -*- coding: utf-8 -*-
"""A headless Chromium, driven through chromedriver's HTTP interface (the W3C WebDriver)."""
import base64
import os

import requests

from .ports import free_port
from .problem import Problem
from .service import Service
from .waiting import wait_until

DRIVER = '/usr/bin/chromedriver'
ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'  # the key that the standard gives to elements


class Browser(Service):
    """One browser with one window and a profile of its own."""

    def __init__(self, folder, name='browser'):
        super().__init__(name, folder)
        self.port = free_port()
        self.window = None

    def command(self):
        if not os.path.exists(DRIVER):
            raise Problem("chromedriver is not installed: run `make install`.")
        return [DRIVER, '--port=%d' % self.port]

    def is_ready(self):
        try:
            return self._call('GET', '/status')['ready']
        except requests.ConnectionError:
            return False

    def start(self, wait=True):
        super().start(wait=True)
        arguments = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
                     '--window-size=1280,900', '--no-first-run', '--disable-extensions',
                     '--disable-background-networking', '--no-proxy-server',
                     '--user-data-dir=' + os.path.join(self.folder, 'profile')]
        answer = self._call('POST', '/session', {'capabilities': {'alwaysMatch': {
            'browserName': 'chrome', 'goog:loggingPrefs': {'browser': 'ALL'},
            'goog:chromeOptions': {'args': arguments, 'binary': '/usr/bin/chromium'}}}})
        self.window = '/session/' + answer['sessionId']
        return self

    def open(self, url):
        """Load `url`."""
        self._call('POST', self.window + '/url', {'url': url})

    def url(self):
        """The address that is shown."""
        return self._call('GET', self.window + '/url')

    def find(self, css, timeout_seconds=20):
        """The first visible element for the CSS selector, waited for."""
        return wait_until(lambda: next(iter(self.visible(css)), None), timeout_seconds,
                          "the page shows %s; it shows %r" % (css, self.text()[:300]))

    def visible(self, css):
        """All elements for the CSS selector that can be seen now."""
        found = self._call('POST', self.window + '/elements',
                           {'using': 'css selector', 'value': css})
        return [element for element in (item[ELEMENT] for item in found)
                if self.run('return arguments[0].getClientRects().length > 0', {ELEMENT: element})]

    def type(self, css, text):
        """Replace what is in a field."""
        element = '%s/element/%s' % (self.window, self.find(css))
        self._call('POST', element + '/clear', {})
        self._call('POST', element + '/value', {'text': text})

    def click(self, css):
        """Click the first visible element."""
        self._call('POST', '%s/element/%s/click' % (self.window, self.find(css)), {})

    def text(self):
        """All text of the page."""
        return self.run('return document.body ? document.body.innerText : ""') or ''

    def run(self, script, *arguments):
        """What a piece of JavaScript returns."""
        return self._call('POST', self.window + '/execute/sync',
                          {'script': script, 'args': list(arguments)})

    def console(self):
        """The console's messages since the last call."""
        entries = self._call('POST', self.window + '/se/log', {'type': 'browser'})
        return [entry['message'] for entry in entries]

    def screenshot(self, path):
        """Write a PNG of the window to `path`."""
        with open(path, 'wb') as stream:
            stream.write(base64.b64decode(self._call('GET', self.window + '/screenshot')))

    def device(self, width, height, phone=False, scheme='light'):
        """Show pages as on a screen of that size, in the light or dark scheme."""
        self._devtools('Emulation.setDeviceMetricsOverride', width=width, height=height, mobile=phone,
                       deviceScaleFactor=2 if phone else 1)
        self._devtools('Emulation.setEmulatedMedia',
                       features=[{'name': 'prefers-color-scheme', 'value': scheme}])

    def picture(self, path):
        """Write a PNG of the whole page, also of what must be scrolled to."""
        with open(path, 'wb') as stream:
            stream.write(base64.b64decode(self._devtools('Page.captureScreenshot',
                                                         captureBeyondViewport=True)['data']))

    def _devtools(self, command, **parameters):
        return self._call('POST', self.window + '/goog/cdp/execute', {'cmd': command, 'params': parameters})

    def open_menu(self, text, timeout_seconds=20):
        """Click the menu entry that reads `text` once it is there.

        By script: the packages on PyPI lack the style sheets, and without them the top menu
        cannot be seen.
        """
        click = ("var wanted = arguments[0];"
                 "var entry = [].filter.call(document.querySelectorAll('a[data-action-id]'),"
                 "  function (a) { return a.textContent.trim().split('\\n')[0] == wanted; })[0];"
                 "if (entry) { entry.click(); } return !!entry;")
        wait_until(lambda: self.run(click, text), timeout_seconds,
                   "there is a menu %r; the page shows %r" % (text, self.text()[:300]))

    def log_in(self, url, login='admin', password='admin'):
        """Log in at the web client's form and wait for its menu."""
        self.open(url)
        self.find('.oe_login input[name=login]')
        # without style sheets the form moves while addons add to it, and a click may miss
        wait_until(lambda: self.run("return window.jQuery ? jQuery.active == 0 : false"), 30,
                   "the log-in form is complete")
        self.type('.oe_login input[name=login]', login)
        self.type('.oe_login input[name=password]', password)
        self.run("document.querySelector('.oe_login button[name=submit]').click()")
        self.find('a[data-action-id]', timeout_seconds=40)

    def _call(self, method, path, body=None):
        response = requests.request(method, 'http://127.0.0.1:%d%s' % (self.port, path),
                                    json=body, timeout=60)
        value = response.json()['value']
        if response.status_code != 200:
            raise Problem("The browser refused %s: %s" % (path, value.get('message', value)))
        return value

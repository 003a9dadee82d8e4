// Fetches this very page again and puts its content in place, so that nothing flickers.
// Where scripts are off, the refresh in the page's head does it.
(function () {
  'use strict';
  var seconds = 3, last = Date.now();
  function show(text, stale) {
    var element = document.getElementById('fresh');
    element.textContent = text;
    element.className = stale ? 'fresh stale' : 'fresh';
  }
  function refresh() {
    if (document.hidden) { return; }
    fetch(location.pathname, {cache: 'no-store'}).then(function (answer) {
      if (!answer.ok) { throw new Error(answer.status); }
      return answer.text();
    }).then(function (text) {
      var fresh = new DOMParser().parseFromString(text, 'text/html');
      document.querySelector('main').replaceWith(fresh.querySelector('main'));
      document.title = fresh.title;
      last = Date.now();
      show('live, every ' + seconds + ' s', false);
    }).catch(function () {
      show('this node has not answered for ' + Math.round((Date.now() - last) / 1000) + ' s', true);
    });
  }
  show('live, every ' + seconds + ' s', false);
  setInterval(refresh, seconds * 1000);
  document.addEventListener('visibilitychange', refresh);
})();

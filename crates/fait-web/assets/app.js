// Pages work without this. With it they follow along: what is marked `data-live` is fetched again
// when something happens. Forms lie outside, so that typing, caret and focus are never touched.
'use strict';
(() => {
  const EVERY_MS = 30_000; // "6 min left" must not stay so for an hour.

  const focusWanted = document.querySelector('[data-focus]');
  if (focusWanted) focusWanted.focus();

  // One click, one command: the same form is not sent twice.
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (form.method !== 'post') return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = 'yes';
    // After the browser has read which button it was.
    setTimeout(() => {
      for (const button of form.querySelectorAll('button')) button.disabled = true;
    });
  });
  // Coming back to a page that the browser kept.
  window.addEventListener('pageshow', () => {
    for (const form of document.querySelectorAll('form[data-sent]')) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll('button')) button.disabled = false;
    }
  });

  const said = document.getElementById('said');
  const say = (text) => {
    if (said && text) said.textContent = text;
  };

  const live = document.body.dataset.follow;
  if (!live || !window.EventSource) return;

  /** Puts what is new into a part of the page; focus and open folds stay. */
  const renew = (old, fresh) => {
    const active = old.contains(document.activeElement) ? document.activeElement : null;
    const open = [...old.querySelectorAll('details[open][id]')].map((fold) => fold.id);
    old.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
    for (const id of open) {
      const fold = document.getElementById(id);
      if (fold) fold.open = true;
    }
    if (!active) return;
    const same =
      (active.id && document.getElementById(active.id)) ||
      [...old.querySelectorAll('a[href]')].find((a) => a.href === active.href) ||
      (active.tagName === 'SUMMARY' && old.querySelector('summary'));
    if (same) same.focus({ preventScroll: true });
    else {
      // What had the focus is gone: the next thing to read is this part itself.
      old.tabIndex = -1;
      old.focus({ preventScroll: true });
    }
  };

  const take = (page) => {
    for (const old of document.querySelectorAll('[data-live]')) {
      const fresh = page.getElementById(old.id);
      if (!fresh) continue;
      if (fresh.dataset.say && fresh.dataset.say !== old.dataset.say) say(fresh.dataset.say);
      if (fresh.dataset.say) old.dataset.say = fresh.dataset.say;
      // A part with a version is changed by scripts: what it holds cannot be compared.
      const same = fresh.dataset.version
        ? old.dataset.version === fresh.dataset.version
        : old.innerHTML === fresh.innerHTML;
      if (same) continue;
      if (fresh.dataset.version) old.dataset.version = fresh.dataset.version;
      renew(old, fresh);
    }
  };

  let busy = false;
  let again = false;
  const refresh = async () => {
    if (document.hidden) return;
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      // Not stored: on the way back the browser is to find the form that was sent, with its id.
      const asked = location.href;
      const answer = await fetch(asked, { cache: 'no-store' });
      const kind = answer.headers.get('Content-Type') || '';
      const text = kind.startsWith('text/html') && (await answer.text());
      // The page may have another address by now: then this is not the answer to it.
      if (asked !== location.href) again = true;
      else if (text) take(new DOMParser().parseFromString(text, 'text/html'));
    } catch {
      // The system is away; the stream comes back by itself when it does.
    } finally {
      busy = false;
      if (again) {
        again = false;
        refresh();
      }
    }
  };

  let stream;
  let seen;
  const follow = () => {
    if (stream || document.hidden) return;
    stream = new EventSource(live);
    stream.addEventListener('tick', (event) => {
      const isNews = seen === undefined || seen !== event.data || again;
      seen = event.data;
      if (isNews || !busy) refresh();
    });
  };
  const rest = () => {
    if (stream) stream.close();
    stream = undefined;
  };
  document.addEventListener('visibilitychange', () => (document.hidden ? rest() : follow()));
  window.addEventListener('pagehide', rest);
  window.addEventListener('pageshow', follow);
  setInterval(refresh, EVERY_MS);
  follow();
})();

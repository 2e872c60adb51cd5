// The board works without this: every note is a link, the panel comes from the server. With it
// the picture is moved and made larger in its place, one note is reached by Tab and the others by
// arrow keys, and the panel opens without leaving the page.
'use strict';
(() => {
  const LEAST = 0.1;
  const MOST = 4;
  const STEP = 1.2;
  const DRAG_PX = 4;
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const KEPT = 'board-zoom';

  const page = document.querySelector('.board-page');
  if (!page) return;
  const panel = document.getElementById('panel');
  const stage = page.querySelector('[data-stage]');
  const sheet = document.getElementById('picture');
  const said = document.getElementById('said');
  const say = (text) => {
    if (said) said.textContent = text;
  };

  /** The id of the note in the panel, as it stands in the address. */
  const chosen = () => new URL(location.href).searchParams.get('note');

  // ---- The picture's notes

  const links = () => (sheet ? [...sheet.querySelectorAll('a')] : []);
  const noteOf = (link) => link.querySelector('[data-note]')?.dataset.note.slice('note-'.length);
  const linkOf = (id) => links().find((link) => noteOf(link) === id);
  const seen = (link) => link.getClientRects().length > 0;

  /** Shows what is selected: its cards, and the arrows that lead to it and away. */
  const light = () => {
    const svg = sheet?.querySelector('svg');
    if (!svg) return;
    const id = chosen();
    const whole = id && `note-${id}`;
    let any = false;
    for (const card of svg.querySelectorAll('[data-note],[data-of]')) {
      const own = card.dataset.note === whole;
      card.classList.toggle('selected', Boolean(id) && own);
      card.classList.toggle('shown', Boolean(id) && card.dataset.of === whole);
      any ||= Boolean(id) && own;
    }
    for (const arrow of svg.querySelectorAll('.arrow')) {
      const ends = [arrow.dataset.from, arrow.dataset.to];
      arrow.classList.toggle('shown', any && ends.includes(whole));
    }
    svg.classList.toggle('picked', any);
  };

  /** One note can be reached by Tab: the selected one, else the one that was reached last. */
  let reached = null;
  const rove = (wanted) => {
    const all = links();
    const home = wanted || linkOf(reached) || linkOf(chosen()) || all.find(seen);
    for (const link of all) link.setAttribute('tabindex', link === home ? '0' : '-1');
    if (home) reached = noteOf(home);
  };

  // ---- Size and place

  let zoom = 1;
  const zoomSaid = document.getElementById('zoom-said');
  const size = () => {
    const box = sheet.querySelector('svg')?.viewBox.baseVal;
    return box ? [box.width, box.height] : [1, 1];
  };
  /** Makes the picture larger or smaller; the point `at` of the window stays where it is. */
  const resize = (to, at) => {
    const area = stage.getBoundingClientRect();
    const [x, y] = at || [area.left + area.width / 2, area.top + area.height / 2];
    const [dx, dy] = [x - area.left, y - area.top];
    const [px, py] = [(stage.scrollLeft + dx) / zoom, (stage.scrollTop + dy) / zoom];
    zoom = Math.min(MOST, Math.max(LEAST, to));
    sheet.style.zoom = zoom;
    stage.scrollLeft = px * zoom - dx;
    stage.scrollTop = py * zoom - dy;
    zoomSaid.textContent = `${Math.round(zoom * 100)}%`;
    sessionStorage.setItem(KEPT, String(zoom));
  };
  const width = () => stage.clientWidth / size()[0];
  const all = () => Math.min(width(), stage.clientHeight / size()[1]);
  const move = (x, y) => stage.scrollBy(x * stage.clientWidth * 0.4, y * stage.clientHeight * 0.4);
  const acts = {
    larger: () => resize(zoom * STEP),
    smaller: () => resize(zoom / STEP),
    full: () => resize(1),
    width: () => resize(width()),
    fit: () => resize(all()),
    left: () => move(-1, 0),
    right: () => move(1, 0),
    up: () => move(0, -1),
    down: () => move(0, 1),
  };
  const KEYS = { '+': 'larger', '=': 'larger', '-': 'smaller', 1: 'full', 0: 'fit', w: 'width' };

  /** Brings a note into the part of the picture that is seen. */
  const bring = (link) => {
    const [area, card] = [stage.getBoundingClientRect(), link.getBoundingClientRect()];
    const by = (from, to, least, most) => {
      const room = Math.min(40, (most - least) / 8);
      if (from < least + room) return from - least - room;
      if (to > most - room) return Math.min(to - most + room, from - least - room);
      return 0;
    };
    stage.scrollBy(
      by(card.left, card.right, area.left, area.left + stage.clientWidth),
      by(card.top, card.bottom, area.top, area.top + stage.clientHeight),
    );
  };

  // ---- The panel

  let asked = 0;
  /** Puts a note into the panel; `focus` says that who reads the keyboard goes there too. */
  const open = async (id, focus) => {
    const address = new URL(location.href);
    address.searchParams.set('note', id);
    address.hash = '';
    const from = new URL(address);
    from.pathname = `/board/note/${encodeURIComponent(id)}`;
    asked += 1;
    const own = asked;
    let answer;
    try {
      answer = await fetch(from, { cache: 'no-store' });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
      if (own !== asked) return;
      const nodes = [...fresh.getElementById('panel').childNodes];
      panel.replaceChildren(...nodes.map((node) => document.importNode(node, true)));
    } catch {
      // Without an answer the page itself is gone to: it says what is wrong.
      location.assign(address);
      return;
    }
    history.replaceState(null, '', address);
    keep();
    const link = linkOf(id);
    if (link) {
      reached = id;
      bring(link);
    }
    light();
    rove();
    panel.scrollTop = 0;
    const title = document.getElementById('panel-title');
    if (focus) title?.focus({ preventScroll: true });
    else say(title ? title.textContent : '');
  };

  const close = () => {
    const id = chosen();
    if (!id) return;
    asked += 1;
    const address = new URL(location.href);
    address.searchParams.delete('note');
    address.hash = '';
    history.replaceState(null, '', address);
    const inside = panel.contains(document.activeElement);
    panel.replaceChildren();
    keep();
    light();
    rove();
    if (inside) {
      const back = linkOf(id) || page.querySelector(`[data-note="${CSS.escape(id)}"]`);
      back?.focus({ preventScroll: true });
    }
  };

  /** The links to the other parts of the page keep the note that is looked at. */
  const keep = () => {
    const id = chosen();
    const hidden = page.querySelector('.chapters input[name=note]');
    if (hidden) {
      hidden.value = id || '';
      hidden.disabled = !id;
    }
    for (const tab of page.querySelectorAll('.tabs a')) {
      const to = new URL(tab.href);
      if (id) to.searchParams.set('note', id);
      else to.searchParams.delete('note');
      tab.href = to;
    }
  };

  const plain = (event) =>
    event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

  page.addEventListener('click', (event) => {
    if (!plain(event) || event.defaultPrevented) return;
    const to = event.target.closest('a[data-note]');
    if (to) {
      event.preventDefault();
      open(to.dataset.note, true);
    } else if (event.target.closest('[data-close]')) {
      event.preventDefault();
      close();
    }
  });
  page.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && chosen()) {
      event.preventDefault();
      close();
    }
  });

  // Parts of the page are renewed while it is open.
  const renewed = new MutationObserver(() => {
    light();
    rove();
    keep();
  });
  for (const part of [sheet, document.getElementById('board-tabs')]) {
    if (part) renewed.observe(part, { childList: true });
  }

  if (!stage) {
    keep();
    return;
  }

  // ---- Mouse and keyboard in the picture

  let dragged = false;
  sheet.addEventListener('click', (event) => {
    if (dragged) {
      dragged = false;
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (!plain(event)) return;
    const link = event.target.closest('a');
    const part = event.target.closest('[data-of]');
    const id = link ? noteOf(link) : part?.dataset.of.slice('note-'.length);
    if (!id) return;
    event.preventDefault();
    event.stopPropagation();
    // A click without a place was made by the keyboard.
    open(id, event.detail === 0);
  });
  sheet.addEventListener('dragstart', (event) => event.preventDefault());
  sheet.addEventListener('focusin', (event) => {
    const link = event.target.closest('a');
    if (!link) return;
    rove(link);
    bring(link);
  });

  /** The note that lies next in a direction: near, and hardly beside the way. */
  const next = (from, [dx, dy]) => {
    const middle = (link) => {
      const box = link.getBoundingClientRect();
      return [box.left + box.width / 2, box.top + box.height / 2];
    };
    const [x, y] = middle(from);
    let best = null;
    let least = Infinity;
    for (const link of links()) {
      if (link === from || !seen(link)) continue;
      const [a, b] = middle(link);
      const ahead = (a - x) * dx + (b - y) * dy;
      const beside = Math.abs((a - x) * dy) + Math.abs((b - y) * dx);
      if (ahead < 2 || beside > ahead * 3) continue;
      const cost = ahead + beside * 2;
      if (cost < least) [best, least] = [link, cost];
    }
    return best;
  };
  sheet.addEventListener('keydown', (event) => {
    const link = event.target.closest('a');
    if (!link || event.ctrlKey || event.metaKey || event.altKey) return;
    const shown = links().filter(seen);
    let to;
    if (ARROWS[event.key]) to = next(link, ARROWS[event.key]);
    else if (event.key === 'Home') to = shown[0];
    else if (event.key === 'End') to = shown.at(-1);
    else if (KEYS[event.key]) acts[KEYS[event.key]]();
    else if (event.key === ' ') open(noteOf(link), true);
    else return;
    event.preventDefault();
    to?.focus({ preventScroll: true });
  });

  stage.addEventListener('pointerdown', (event) => {
    dragged = false;
    if (event.button !== 0 || event.pointerType !== 'mouse') return;
    const [x, y, left, top] = [event.clientX, event.clientY, stage.scrollLeft, stage.scrollTop];
    const follow = (moved) => {
      const [dx, dy] = [moved.clientX - x, moved.clientY - y];
      if (!dragged && Math.hypot(dx, dy) < DRAG_PX) return;
      dragged = true;
      stage.classList.add('dragging');
      stage.scrollLeft = left - dx;
      stage.scrollTop = top - dy;
    };
    const end = () => {
      stage.classList.remove('dragging');
      window.removeEventListener('pointermove', follow);
      window.removeEventListener('pointerup', end);
      window.removeEventListener('pointercancel', end);
    };
    window.addEventListener('pointermove', follow);
    window.addEventListener('pointerup', end);
    window.addEventListener('pointercancel', end);
  });
  stage.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      resize(zoom * Math.exp(-event.deltaY / 300), [event.clientX, event.clientY]);
    },
    { passive: false },
  );

  const bar = page.querySelector('[data-zoom-bar]');
  bar.hidden = false;
  bar.addEventListener('click', (event) => {
    const button = event.target.closest('[data-act]');
    if (!button) return;
    const before = zoom;
    acts[button.dataset.act]();
    if (zoom !== before) say(`${Math.round(zoom * 100)} percent`);
  });

  stage.classList.add('drags');
  const kept = Number(sessionStorage.getItem(KEPT));
  if (kept) resize(kept, [0, 0]);
  light();
  rove();
  keep();
  const start = linkOf(chosen());
  if (start) bring(start);
})();

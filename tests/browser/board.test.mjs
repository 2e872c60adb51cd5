// The board: `/board` of a running system, and the pages of a board that is only a file.

import { readFile, writeFile } from 'node:fs/promises';

const panel = (page) => page.locator('#panel');
const title = (page) => page.locator('#panel-title');
const card = (page, note) => page.locator(`#note-${note}`);
const place = (page) =>
  page.evaluate(() => {
    const stage = document.querySelector('[data-stage]');
    const zoom = document.querySelector('#picture').style.zoom || '1';
    return { left: stage.scrollLeft, top: stage.scrollTop, zoom: Number(zoom) };
  });
/** What has the focus: the id of its note in the picture, else its own. */
const focus = (page) =>
  page.evaluate(() => {
    const active = document.activeElement;
    return active.querySelector?.('[data-note]')?.id || active.id;
  });
const count = (page, selector) =>
  page.locator(selector).evaluateAll((all) => all.filter((e) => e.getClientRects().length).length);

/** Edits the file of the board, and puts it back behind the test. */
async function edited(board, edit, test) {
  const before = await readFile(board.file, 'utf8');
  try {
    await writeFile(board.file, edit(before));
    await test();
  } finally {
    await writeFile(board.file, before);
  }
}

/** Every part of the page, light at a desk and dark on a phone. */
async function accessible({ newPage, axe, assert }, base) {
  const looks = [
    { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
    { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true },
  ];
  const note = 'note=task-cook-food';
  for (const look of looks) {
    const page = await newPage(look);
    for (const path of [
      '/board', `/board?${note}`, `/board?show=text&${note}`, `/board?show=words&${note}`,
      `/board?show=examples&${note}`, '/board?show=differences', '/board?note=event-nothing',
    ]) {
      await page.goto(base + path);
      const where = `${path} at ${look.viewport.width}`;
      assert.deepEqual(await axe(page), [], where);
      const over = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.ok(over <= 0, `${where} is ${over} px too wide`);
      assert.equal(await page.locator('h1').count(), 1, where);
    }
  }
}

export const tests = {
  'a note is selected with the mouse, and its panel leads on': async ({ newPage, assert }) => {
    const page = await newPage({ viewport: { width: 1400, height: 900 } });
    await page.goto('/board');
    assert.equal(await panel(page).isVisible(), false);
    await card(page, 'event-order-placed').click();
    await title(page).getByText('Order placed').waitFor();
    const text = await panel(page).innerText();
    for (const said of ['turning point', 'Raised by', 'Place order', 'Serve, then bill starts on it']) {
      assert.ok(text.includes(said), `${said} is not in ${text}`);
    }
    assert.match(text, /In the store\s+\d+ times, the last/);
    assert.equal(new URL(page.url()).search, '?note=event-order-placed');
    assert.equal(await page.locator('.note.selected').count(), 1);
    // The arrows to and from it are told apart from the others.
    assert.ok((await page.locator('.arrow.shown').count()) > 2);
    await panel(page).getByRole('link', { name: 'Place order' }).click();
    await title(page).getByText('Place order').waitFor();
    assert.equal(await focus(page), 'panel-title');
    // The address is enough to see the same.
    await page.reload();
    assert.equal(await title(page).innerText(), 'Place order');
    assert.equal(await page.locator('#note-task-place-order.selected').count(), 1);
    await panel(page).getByRole('link', { name: 'Close' }).click();
    assert.equal(await panel(page).isVisible(), false);
    assert.equal(new URL(page.url()).search, '');
  },

  'the picture is one stop of the Tab key, arrow keys reach the notes': async (given) => {
    const { newPage, assert } = given;
    const page = await newPage({ viewport: { width: 1400, height: 900 } });
    await page.goto('/board');
    assert.equal(await page.locator('#picture a[tabindex="0"]').count(), 1);
    await page.getByRole('button', { name: 'Fit all of it in' }).focus();
    for (let i = 0; i < 12 && !(await focus(page)).startsWith('note-'); i += 1) {
      await page.keyboard.press('Tab');
    }
    const first = await focus(page);
    assert.ok(first.startsWith('note-'), first);
    await page.locator('#picture a:has(#note-task-place-order)').focus();
    await page.keyboard.press('ArrowRight');
    assert.equal(await focus(page), 'note-task-cancel-order');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowUp');
    assert.equal(await focus(page), 'note-view-table-plan');
    await page.keyboard.press('ArrowDown');
    assert.equal(await focus(page), 'note-task-place-order');
    assert.equal(await panel(page).isVisible(), false);
    await page.keyboard.press('Enter');
    await title(page).getByText('Place order').waitFor();
    assert.equal(await focus(page), 'panel-title');
    await page.keyboard.press('Escape');
    assert.equal(await panel(page).isVisible(), false);
    assert.equal(await focus(page), 'note-task-place-order');
    // Far away notes come into sight.
    await page.keyboard.press('End');
    const last = page.locator('#picture a[tabindex="0"]');
    const [box, area] = [await last.boundingBox(), await page.locator('[data-stage]').boundingBox()];
    assert.ok(box.y >= area.y && box.y < area.y + area.height, JSON.stringify([box, area]));
    // The next Tab leaves the picture.
    await page.keyboard.press('Tab');
    assert.ok(!(await focus(page)).startsWith('note-'));
  },

  'the picture is moved and made larger in its place': async ({ newPage, assert }) => {
    const page = await newPage({ viewport: { width: 1400, height: 900 } });
    await page.goto('/board');
    const percent = page.locator('#zoom-said');
    await page.getByRole('button', { name: 'Larger' }).click();
    assert.equal(await percent.innerText(), '120%');
    await page.getByRole('button', { name: 'Look further right' }).click();
    const moved = await place(page);
    assert.ok(moved.left > 100, JSON.stringify(moved));
    await page.getByRole('button', { name: 'Whole width' }).click();
    const wide = await page.evaluate(() => {
      const stage = document.querySelector('[data-stage]');
      return stage.scrollWidth - stage.clientWidth;
    });
    assert.ok(wide <= 1, `${wide} px too wide`);
    await page.getByRole('button', { name: '1:1, full size' }).click();
    assert.equal(await percent.innerText(), '100%');
    // Dragged: the picture follows the mouse, and nothing is selected by that.
    await card(page, 'task-cook-food').scrollIntoViewIfNeeded();
    const before = await place(page);
    const box = await card(page, 'task-cook-food').boundingBox();
    await page.mouse.move(box.x + 20, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(box.x - 180, box.y - 40, { steps: 4 });
    await page.mouse.up();
    const after = await place(page);
    assert.deepEqual([after.left - before.left, after.top - before.top], [200, 50]);
    assert.equal(await panel(page).isVisible(), false);
    // With the wheel the point under the mouse stays where it is.
    const middle = async () => {
      const at = await card(page, 'task-cook-food').boundingBox();
      return [at.x, at.y];
    };
    const [x, y] = await middle();
    await page.mouse.move(x, y);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -120);
    await page.keyboard.up('Control');
    await page.waitForFunction(() => document.querySelector('#zoom-said').textContent !== '100%');
    const [x2, y2] = await middle();
    assert.ok(Math.abs(x2 - x) < 3 && Math.abs(y2 - y) < 3, JSON.stringify([x, y, x2, y2]));
    // Keys, when a note has the focus.
    await page.locator('#picture a[tabindex="0"]').focus();
    await page.keyboard.press('1');
    assert.equal(await percent.innerText(), '100%');
    await page.keyboard.press('-');
    assert.equal(await percent.innerText(), '83%');
  },

  'parts of the picture are left out, with and without JavaScript': async ({ newPage, assert }) => {
    for (const javaScriptEnabled of [true, false]) {
      const page = await newPage({ javaScriptEnabled });
      await page.goto('/board');
      for (const [label, selector] of [
        ['Data', '#picture text.detail'],
        ['Time-outs', '#picture .timer'],
        ['What really happened', '#picture rect.badge'],
      ]) {
        assert.ok((await count(page, selector)) > 0, `${label}: nothing to leave out`);
        await page.getByLabel(label).uncheck();
        assert.equal(await count(page, selector), 0, label);
        await page.getByLabel(label).check();
      }
      await page.locator('#chapter').selectOption('Cook');
      await page.getByRole('button', { name: 'Show' }).click();
      await page.waitForURL('**chapter=Cook**');
      assert.equal(await card(page, 'task-cook-food').count(), 1);
      assert.equal(await card(page, 'task-place-order').count(), 0);
    }
  },

  'everything is there without JavaScript': async ({ newPage, axe, assert }) => {
    const page = await newPage({ javaScriptEnabled: false, viewport: { width: 1400, height: 900 } });
    await page.goto('/board');
    assert.equal(await page.locator('[data-zoom-bar]').isVisible(), false);
    await card(page, 'process-serve-then-bill').click();
    assert.equal(await title(page).innerText(), 'Serve, then bill');
    assert.match(await panel(page).innerText(), /after 3 tries without Order cooked/);
    await panel(page).getByRole('link', { name: 'raise Cooking timed out' }).click();
    assert.equal(await title(page).innerText(), 'Cooking timed out');
    await panel(page).getByRole('link', { name: /^Lines? \d+/ }).click();
    assert.equal(await page.locator('.lines .here').count() > 0, true);
    assert.equal(await title(page).innerText(), 'Cooking timed out');
    assert.deepEqual(await axe(page), []);
    await page.getByRole('link', { name: 'Words', exact: true }).click();
    await page.getByRole('link', { name: 'cooked by' }).first().click();
    assert.match(await panel(page).innerText(), /is text/);
    await page.getByRole('link', { name: 'Close' }).click();
    assert.equal(await panel(page).isVisible(), false);
  },

  'counts follow what happens, and the place in the picture stays': async ({ newPage, base, assert }) => {
    const page = await newPage({ viewport: { width: 1400, height: 900 } });
    await page.goto('/board?note=event-order-placed');
    await page.getByRole('button', { name: 'Larger' }).click();
    const before = await place(page);
    const times = async () => Number(/(\d+) times/.exec(await panel(page).innerText())[1]);
    const was = await times();
    const answer = await fetch(`${base}/api/commands/PlaceOrder?as=tester`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        order: crypto.randomUUID(), table: 77, dishes: ['cake'], pays_first: false,
      }),
    });
    assert.equal(answer.status, 200);
    await panel(page).getByText(`${was + 1} times`).waitFor();
    await page.waitForFunction(
      (n) => document.querySelector('#note-event-order-placed text.badge').textContent === String(n),
      was + 1,
    );
    assert.deepEqual(await place(page), before);
    assert.equal(await page.locator('#note-event-order-placed.selected').count(), 1);
  },

  'nothing breaks WCAG 2.2 AA, and a phone need not scroll sideways': async (given) => {
    await accessible(given, given.base);
  },

  'nor do the pages of a file': async (given) => {
    await accessible(given, given.board.base);
  },

  'a board that is edited is followed, and the selection stays': async ({ newPage, board, assert }) => {
    const page = await newPage({ viewport: { width: 1400, height: 900 } });
    await page.goto(`${board.base}/board`);
    await card(page, 'event-order-cooked').click();
    await title(page).getByText('Order cooked').waitFor();
    await page.getByRole('button', { name: 'Larger' }).click();
    await page.getByRole('button', { name: 'Look further down' }).click();
    await page.getByRole('button', { name: 'Look further right' }).click();
    const before = await place(page);
    assert.ok(before.top > 50 && before.left > 50, JSON.stringify(before));
    const add = (text) => `${text}\nactor Dishwasher\n\ntask Wash up\n  by Dishwasher\n  raises All clean\n\nevent All clean\n`;
    await edited(board, add, async () => {
      await card(page, 'event-all-clean').waitFor({ state: 'attached' });
      assert.deepEqual(await place(page), before);
      assert.equal(await title(page).innerText(), 'Order cooked');
      assert.equal(await page.locator('#note-event-order-cooked.selected').count(), 1);
    });
    await card(page, 'event-all-clean').waitFor({ state: 'detached' });
  },

  'a mistake is shown with its place while the board is written': async ({ newPage, board, axe, assert }) => {
    const page = await newPage();
    await page.goto(`${board.base}/board`);
    await edited(board, (text) => text.replace('raises Order spiked', 'raises Order spoked'), async () => {
      const problems = page.locator('#problems');
      await problems.locator('.first').getByText(/no event is called/).waitFor();
      assert.match(await page.locator('#said').innerText(), /The board has \d+ errors?/);
      // The rest of the picture is still there.
      assert.equal(await card(page, 'task-spike-order').count(), 1);
      await problems.locator('summary').click();
      await problems.locator('li', { hasText: 'B101' }).getByRole('link').click();
      await page.locator('li.wrong-line:target').waitFor();
      assert.match(await page.locator('li.wrong-line:target').innerText(), /raises Order spoked[\s\S]*B101/);
      assert.deepEqual(await axe(page), []);
    });
    await page.locator('li.wrong-line').first().waitFor({ state: 'detached' });
  },
};

// The pages for people: a task is asked, done, moved on; with and without JavaScript.
//
// The staff of the restaurant may work meanwhile: every test places orders of its own at a table
// that nobody else uses, and looks only at those.

let tables = 3_000_000 + (Date.now() % 1_000_000) * 10;
const freshTable = () => (tables += 1);
const NOT_FOUND = '00000000-0000-0000-0000-000000000009';

async function as(page, base, role, name = 'Eve') {
  await page.context().addCookies([
    { name: 'fait_role', value: encodeURIComponent(role), url: base },
    { name: 'fait_name', value: encodeURIComponent(name), url: base },
  ]);
}

/** What was recorded of a kind about a table's order. */
async function recorded(base, type, table) {
  const answer = await fetch(`${base}/api/events?types=OrderPlaced&limit=1000&backwards=true`);
  const { events } = await answer.json();
  const placed = events.filter((event) => event.data.table === table);
  if (type === 'OrderPlaced') return placed;
  const orders = placed.map((event) => event.data.order);
  const others = await fetch(`${base}/api/events?types=${type}&limit=1000&backwards=true`);
  return (await others.json()).events.filter((event) => orders.includes(event.data.order));
}

async function command(base, name, body) {
  const answer = await fetch(`${base}/api/commands/${name}?as=tester`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function place(base, table, dishes = ['cake']) {
  const order = crypto.randomUUID();
  await command(base, 'PlaceOrder', { order, table, dishes, pays_first: false });
  return order;
}

async function fillOrder(page, table, dishes = 'cake, tea') {
  await page.goto('/do/PlaceOrder');
  await page.getByLabel('Which table?').fill(String(table));
  await page.getByLabel('Which dishes?').fill(dishes);
  await page.getByRole('group', { name: 'Do the guests pay first?' }).getByLabel('No').check();
}

const send = (page) => page.getByRole('button', { name: 'Send it to the kitchen' });
const cooking = (page, table) =>
  page.getByRole('link', { name: new RegExp(`^Cook the food for table ${table}\\b`) });

/** Comes back until something is there: what a person without JavaScript does. */
async function reloadUntil(page, locator) {
  for (let i = 0; i < 40; i += 1) {
    if ((await locator.count()) > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
    await page.reload();
  }
  throw new Error(`did not come: ${locator}`);
}

/** From the order to the cooked food, as two people. */
async function takeAndCook({ newPage, base, assert }, options) {
  const table = freshTable();
  const waiter = await newPage(options);
  await waiter.goto('/');
  await waiter.getByLabel('Your name').fill('Ann Marie');
  await waiter.getByRole('button', { name: /^Waiter/ }).click();
  await waiter.waitForURL('**/inbox');
  await waiter.getByRole('link', { name: 'Place an order' }).click();
  await fillOrder(waiter, table);
  await send(waiter).click();
  await waiter.waitForURL('**/inbox?done=*');
  const receipt = waiter.locator('#receipt');
  assert.match(await receipt.innerText(), /Order placed\. Recorded at \d\d:\d\d/);
  assert.match(await receipt.innerText(), new RegExp(`table ${table}, dishes cake and tea`));
  const [placed] = await recorded(base, 'OrderPlaced', table);
  assert.equal(placed.actor, 'waiter:ann-marie');

  const cook = await newPage(options);
  await as(cook, base, 'Cook', 'Tom');
  await cook.goto('/inbox');
  await reloadUntil(cook, cooking(cook, table));
  await cooking(cook, table).click();
  assert.equal(await cook.locator('h1').innerText(), `Cook the food for table ${table}`);
  await cook.getByLabel('Which ingredients did you use?').fill('flour, eggs');
  await cook.getByLabel('Who cooked it?').fill('Tom');
  await cook.getByRole('button', { name: 'The food is ready' }).click();
  await cook.waitForURL('**/inbox?done=*');
  assert.match(await cook.locator('#receipt').innerText(), /Order cooked\. Recorded at/);
  assert.equal(await cooking(cook, table).count(), 0);
  await cook.goto('/views/kitchen-board');
  assert.equal(await cook.getByRole('cell', { name: String(table), exact: true }).count(), 0);
  const [cooked] = await recorded(base, 'OrderCooked', table);
  assert.deepEqual(cooked.data.ingredients, ['flour', 'eggs']);
  assert.equal(cooked.actor, 'cook:tom');
  return { waiter, cook, table, order: placed.data.order };
}

/** Sends the form of a page as it is, some other words put in. */
async function post(page, words = {}) {
  return page.evaluate(async (others) => {
    const form = document.querySelector('#form');
    const data = new URLSearchParams(new FormData(form));
    for (const [name, value] of Object.entries(others)) data.set(name, value);
    const answer = await fetch(form.action, { method: 'POST', body: data });
    return { status: answer.status, url: answer.url, text: await answer.text() };
  }, words);
}

export const tests = {
  'an order is taken and cooked': async (given) => {
    const { waiter, order } = await takeAndCook(given, {});
    const { assert } = given;
    assert.equal(await waiter.evaluate(() => document.activeElement.id), 'receipt');
    await waiter.goto(`/things/order/${order}`);
    await waiter.getByText('Cancel order – not now: the food is already cooked').waitFor();
    await waiter.getByText(/^Order cooked/).waitFor();
  },

  'an order is taken and cooked without JavaScript': async (given) => {
    await takeAndCook(given, { javaScriptEnabled: false });
  },

  'another tab shows at once what was done': async ({ newPage, base, assert }) => {
    const table = freshTable();
    const page = await newPage();
    await as(page, base, 'Waiter');
    const tab = await page.context().newPage();
    await fillOrder(page, table);
    // Not led anywhere: the cookie alone says what was done.
    assert.equal((await post(page)).status, 200);
    const cookies = await page.context().cookies(base);
    const seen = cookies.find((cookie) => cookie.name === 'fait_seen');
    assert.ok(seen.httpOnly && seen.sameSite === 'Lax', JSON.stringify(seen));
    const [{ data }] = await recorded(base, 'OrderPlaced', table);
    await tab.goto(`${base}/things/order/${data.order}`);
    assert.match(await tab.locator('#state').innerText(), new RegExp(`Table plan\\s+Table\\s+${table}`));
    assert.equal(await tab.locator('#behind').innerText(), '');
  },

  'a cook sees a new order come and go, and hears of it': async ({ newPage, base, assert }) => {
    const table = freshTable();
    const page = await newPage();
    await as(page, base, 'Cook');
    await page.goto('/inbox');
    const order = await place(base, table, ['soup']);
    await cooking(page, table).waitFor();
    await page.waitForFunction(() => document.querySelector('#said').textContent.includes('task'));
    await command(base, 'CookFood', { order, ingredients: ['water'], cooked_by: 'Tom' });
    await cooking(page, table).waitFor({ state: 'detached' });
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'BODY');
  },

  'focus in a list stays while the list changes': async ({ newPage, base, assert }) => {
    const [first, second] = [freshTable(), freshTable()];
    await place(base, first);
    const page = await newPage();
    await as(page, base, 'Cook');
    await page.goto('/inbox');
    await cooking(page, first).focus();
    await place(base, second);
    await cooking(page, second).waitFor();
    const focused = await page.evaluate(() => document.activeElement.innerText);
    assert.match(focused, new RegExp(`table ${first}`));
  },

  'a double click sends once': async ({ newPage, base, assert }) => {
    const table = freshTable();
    const page = await newPage();
    await as(page, base, 'Waiter');
    await fillOrder(page, table);
    await send(page).dblclick({ noWaitAfter: true });
    await page.waitForURL('**/inbox?done=*');
    assert.equal((await recorded(base, 'OrderPlaced', table)).length, 1);
  },

  'the same form sent twice at once is one order': async ({ newPage, base, assert }) => {
    const table = freshTable();
    const page = await newPage();
    await as(page, base, 'Waiter');
    await fillOrder(page, table);
    const answers = await Promise.all([post(page), post(page), post(page)]);
    for (const answer of answers) assert.match(answer.url, /\/inbox\?done=/);
    assert.equal((await recorded(base, 'OrderPlaced', table)).length, 1);
    const again = await post(page);
    assert.match(again.text, /This was already recorded\./);
    const other = await post(page, { dishes: 'stew' });
    assert.equal(other.status, 422);
    assert.match(other.text, /sent before with other words/);
    assert.equal((await recorded(base, 'OrderPlaced', table)).length, 1);
  },

  'back and again is no second order': async ({ newPage, base, assert }) => {
    for (const javaScriptEnabled of [true, false]) {
      const table = freshTable();
      const page = await newPage({ javaScriptEnabled });
      await as(page, base, 'Waiter');
      await fillOrder(page, table);
      await send(page).click();
      await page.waitForURL('**/inbox?done=*');
      await page.goBack();
      await page.getByLabel('Which table?').waitFor();
      assert.equal(await page.getByLabel('Which table?').inputValue(), String(table));
      await send(page).click();
      await page.waitForURL('**/inbox?done=*');
      await page.getByText('This was already recorded.').waitFor();
      assert.equal((await recorded(base, 'OrderPlaced', table)).length, 1);
    }
  },

  'a stale form is refused with its reason, and keeps what was typed': async (given) => {
    const { newPage, base, assert } = given;
    for (const javaScriptEnabled of [true, false]) {
      const order = await place(base, freshTable());
      const page = await newPage({ javaScriptEnabled });
      await as(page, base, 'Waiter');
      await page.goto(`/do/CancelOrder?order=${order}`);
      await page.getByLabel('Why?').fill('they left <b>early</b>');
      await command(base, 'CookFood', { order, ingredients: ['flour'], cooked_by: 'Harry' });
      await page.getByRole('button', { name: 'Cancel the order' }).click();
      const errors = page.locator('#errors');
      await errors.waitFor();
      const text = await errors.innerText();
      assert.match(text, /The food is already cooked\./);
      assert.match(text, /Since you opened this page:[\s\S]*Order cooked[\s\S]*Harry/);
      assert.equal(await page.getByLabel('Why?').inputValue(), 'they left <b>early</b>');
      if (javaScriptEnabled) {
        assert.equal(await page.evaluate(() => document.activeElement.id), 'errors');
        assert.deepEqual(await given.axe(page), []);
      }
    }
  },

  'what is not understood is said beside the field': async ({ newPage, base, axe, assert }) => {
    const page = await newPage();
    await as(page, base, 'Waiter');
    await page.goto('/do/PlaceOrder');
    await page.getByLabel('Which table?').fill('by the window');
    await page.getByLabel('Which dishes?').fill('cake');
    await send(page).click();
    await page.getByRole('link', { name: 'Which table?' }).click();
    const table = page.getByLabel('Which table?');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'f-table');
    assert.equal(await table.inputValue(), 'by the window');
    assert.equal(await table.getAttribute('aria-invalid'), 'true');
    const described = await table.getAttribute('aria-describedby');
    const said = await page.locator(`#${described.split(' ').at(-1)}`).innerText();
    assert.match(said, /is not a whole number/);
    assert.equal(await page.getByLabel('Which dishes?').inputValue(), 'cake');
    assert.deepEqual(await axe(page), []);
  },

  'typing, caret and focus stay while the page follows along': async (given) => {
    const { newPage, base, assert } = given;
    const order = await place(base, freshTable());
    const page = await newPage();
    await as(page, base, 'Waiter');
    await page.goto(`/do/CancelOrder?order=${order}`);
    const why = page.getByLabel('Why?');
    await why.pressSequentially('they left');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await command(base, 'CookFood', { order, ingredients: ['flour'], cooked_by: 'Harry' });
    await page.locator('#story').getByText('Order cooked').waitFor();
    const at = await page.evaluate(() => {
      const field = document.activeElement;
      return { id: field.id, value: field.value, caret: field.selectionStart };
    });
    assert.deepEqual(at, { id: 'f-reason', value: 'they left', caret: 1 });
    await page.keyboard.type('_');
    assert.equal(await why.inputValue(), 't_hey left');
  },

  'an open form says when somebody else has done it': async ({ newPage, base, assert }) => {
    const table = freshTable();
    const order = await place(base, table);
    const page = await newPage();
    await as(page, base, 'Cook');
    await page.goto('/inbox');
    await cooking(page, table).click();
    await page.getByLabel('Who cooked it?').fill('Tom');
    await command(base, 'CookFood', { order, ingredients: ['flour'], cooked_by: 'Harry' });
    await page.locator('#notice p').waitFor();
    assert.match(await page.locator('#notice').innerText(), /Nothing is left to do here/);
    assert.equal(await page.getByLabel('Who cooked it?').inputValue(), 'Tom');
    await page.reload();
    assert.match(await page.locator('main').innerText(), /Nothing is left to do here/);
  },

  'one can take a task, and others see it': async ({ newPage, base, assert }) => {
    const table = freshTable();
    await place(base, table);
    const tom = await newPage();
    await as(tom, base, 'Cook', 'Tom');
    await tom.goto('/inbox');
    await reloadUntil(tom, cooking(tom, table));
    await cooking(tom, table).click();
    await tom.getByRole('button', { name: 'I am on it' }).click();
    await tom.getByText(/^You have it until/).waitFor();
    const harry = await newPage();
    await as(harry, base, 'Cook', 'Harry');
    await harry.goto('/inbox');
    assert.match(await cooking(harry, table).innerText(), /Tom, cook has it until/);
  },

  'whose task it is not is told so': async ({ newPage, base, assert }) => {
    const page = await newPage();
    const without = await page.goto('/inbox');
    assert.equal(new URL(without.url()).pathname, '/');
    await as(page, base, 'Cook');
    const answer = await page.goto('/do/PlaceOrder');
    assert.equal(answer.status(), 403);
    assert.match(await page.locator('main').innerText(), /done by Waiter; you are here as Cook/);
  },

  'what cannot be done is declined, and an operator lets it go on': async (given) => {
    const { newPage, base, axe, assert } = given;
    const table = freshTable();
    const order = await place(base, table);
    const page = await newPage({ javaScriptEnabled: false, viewport: { width: 1280, height: 900 } });
    await as(page, base, 'Cook');
    await page.goto('/inbox');
    await reloadUntil(page, cooking(page, table));
    await cooking(page, table).click();
    await page.getByText('I cannot do this…').click();
    await page.getByLabel('Why not?').fill('the oven is broken');
    await page.getByRole('button', { name: 'I cannot do this' }).click();
    assert.match(await page.locator('main').innerText(), /declined by Eve, cook/);
    await page.goto('/stuck');
    const row = page.locator('tr', { has: page.locator(`a[href$="${order}"]`) });
    await reloadUntil(page, row);
    assert.match(await row.innerText(), /the oven is broken/i);
    assert.deepEqual(await axe(page), []);
    await page.getByLabel('Which words are in the reason?').fill('no such words');
    await page.getByLabel('Why do you do it?').fill('to look');
    await page.getByRole('button', { name: 'Show which' }).click();
    assert.match(await page.locator('#preview').innerText(), /0 instances/);
    assert.deepEqual(await axe(page), []);
    await page.goto('/stuck');
    await page.screenshot({ path: `${process.env.RESULTS || '/tmp'}/stuck.png`, fullPage: true });
    await row.getByRole('link').click();
    assert.deepEqual(await axe(page), []);
    await page.screenshot({ path: `${process.env.RESULTS || '/tmp'}/instance.png`, fullPage: true });
    await page.getByRole('button', { name: 'Go on without it' }).click();
    assert.match(await page.locator('#errors').innerText(), /Say why/);
    await page.getByLabel('Why do you do it?').first().fill('the guests eat bread');
    await page.getByRole('button', { name: 'Go on without it' }).click();
    assert.match(await page.locator('#receipt').innerText(), /recorded/);
    assert.match(await page.locator('ol.story').innerText(), /the guests eat bread/);
    await page.goto(`/things/order/${order}`);
    assert.match(await page.locator('main').innerText(), /Declined: cook food/);
  },

  'an operator rebuilds a view, compares it, and lets it serve': async (given) => {
    const { newPage, base, axe, assert } = given;
    const page = await newPage({ viewport: { width: 1280, height: 900 } });
    await as(page, base, 'Cook');
    await page.goto('/status');
    await page.getByRole('link', { name: 'Kitchen board' }).last().click();
    const button = page.getByRole('button', { name: 'Rebuild it, and compare before it serves' });
    await button.click();
    assert.match(await page.locator('#receipt').innerText(), /waits when it has caught up/);
    // The page follows along by itself.
    await page.getByText('It is rebuilt and ready').waitFor();
    assert.deepEqual(await axe(page), []);
    await page.getByRole('link', { name: 'Compare' }).click();
    assert.match(await page.locator('main').innerText(), /There is no difference/);
    assert.deepEqual(await axe(page), []);
    await page.getByRole('link', { name: 'Let it serve' }).click();
    assert.match(await page.locator('#confirm').innerText(), /What serves now is kept/);
    assert.deepEqual(await axe(page), []);
    await page.getByLabel('Why do you do it?').fill('to see that it works');
    await page.getByRole('button', { name: 'Let it serve' }).click();
    assert.match(await page.locator('#receipt').innerText(), /What was rebuilt serves/);
    await page.getByRole('link', { name: /Go back to generation/ }).click();
    await page.getByRole('button', { name: 'Go back' }).click();
    assert.match(await page.locator('#receipt').innerText(), /served before serves again/);
  },

  'nothing breaks WCAG 2.2 AA, and a phone need not scroll sideways': async (given) => {
    const { newPage, base, axe, assert } = given;
    const table = freshTable();
    const order = await place(base, table, ['<script>alert(1)</script>', 'a'.repeat(80)]);
    const orders = await fetch(`${base}/api/events?types=OrderPlaced&limit=1`);
    const flow = (await orders.json()).events[0].correlation;
    const looks = [
      { viewport: { width: 1280, height: 900 } },
      { viewport: { width: 390, height: 800 }, colorScheme: 'dark' },
    ];
    for (const look of looks) {
      const page = await newPage(look);
      await as(page, base, 'Cook');
      await page.goto('/inbox');
      await reloadUntil(page, cooking(page, table));
      const task = await cooking(page, table).getAttribute('href');
      const paths = [
        '/', '/inbox', task, `/things/order/${order}`, '/views/kitchen-board', '/events',
        '/events/1', `/flows/${flow}`, '/status', '/status/views/kitchen-board', '/status/views/kitchen-board/diff',
        '/stuck', `/instances/serve-then-bill/${order}`,
        `/instances/serve-then-bill/${order}?compensate=look`, '/board', '/board?show=text', '/nothing-here',
        `/tasks/${NOT_FOUND}`, '/do/PlaceOrder',
      ];
      for (const path of paths) {
        await page.goto(path);
        const where = `${path} at ${look.viewport.width}`;
        assert.deepEqual(await axe(page), [], where);
        const over = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.ok(over <= 0, `${where} is ${over} px too wide`);
        assert.equal(await page.locator('h1').count(), 1, where);
      }
    }
  },

  'everything works with the keyboard': async ({ newPage, base, assert }) => {
    const table = freshTable();
    const page = await newPage();
    await as(page, base, 'Waiter');
    await page.goto('/do/PlaceOrder');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab'); // My tasks, above the title
    await page.keyboard.press('Tab');
    await page.keyboard.type(String(table));
    await page.keyboard.press('Tab');
    await page.keyboard.type('cake');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/inbox?done=*');
    assert.equal((await recorded(base, 'OrderPlaced', table)).length, 1);
  },
};

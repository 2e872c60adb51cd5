// An order in the browser: taken, cooked, seen to move; with scripts and without.
// The restaurant runs with nobody working by themselves (see the browser verb of xtask).

let next = 500;
/** A table that no other test uses. */
const table = () => (next += 1);

async function be(page, role, name = 'Ann') {
  await page.goto('/');
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: new RegExp(`^${role}`) }).click();
  await page.getByRole('heading', { level: 1, name: 'What needs doing' }).waitFor();
}

async function fillOrder(page, number, dishes = 'cake, tea') {
  await page.getByRole('link', { name: 'Place an order' }).click();
  await page.getByLabel('Which table?').fill(String(number));
  await page.getByLabel('Which dishes?').fill(dishes);
  await page.getByLabel('No', { exact: true }).check();
}

async function placed(base, number) {
  const found = [];
  let after = 0;
  for (;;) {
    const url = `${base}/api/events?types=OrderPlaced&limit=1000&after=${after}`;
    const { events } = await (await fetch(url)).json();
    if (events.length === 0) return found;
    found.push(...events.filter((event) => event.data.table === number));
    after = events.at(-1).position;
  }
}

async function command(base, name, body) {
  const response = await fetch(`${base}/api/commands/${name}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, ...(await response.json()) };
}

async function takeAndCook({ newPage, base, assert }, options) {
  const number = table();
  const waiter = await newPage(options);
  await be(waiter, 'Waiter');
  await fillOrder(waiter, number);
  await waiter.getByRole('button', { name: 'Send it to the kitchen' }).click();
  await waiter.waitForURL(/\/inbox/);
  assert.match(await waiter.locator('main').innerText(), /Order placed/);
  assert.equal((await placed(base, number)).length, 1);
  await waiter.getByRole('link', { name: 'Table plan' }).click();
  await waiter.getByRole('cell', { name: String(number), exact: true }).waitFor();

  const cook = await newPage(options);
  await be(cook, 'Cook', 'Tom');
  await cook.getByRole('link', { name: new RegExp(`Cook the food for table ${number}\\b`) }).click();
  await cook.getByLabel('Which ingredients did you use?').fill('flour, eggs');
  await cook.getByLabel('Who cooked it?').fill('Tom');
  await cook.getByRole('button', { name: 'The food is ready' }).click();
  await cook.waitForURL(/\/inbox/);
  const main = cook.locator('main');
  assert.match(await main.innerText(), /Order cooked/);
  await cook.goto('/inbox');
  const mine = cook.getByRole('link', { name: new RegExp(`Cook the food for table ${number}\\b`) });
  assert.equal(await mine.count(), 0, 'it is off the inbox');
  await cook.getByRole('link', { name: 'Kitchen board' }).click();
  assert.equal(await cook.getByRole('cell', { name: String(number), exact: true }).count(), 0);

  const manager = await newPage(options);
  await be(manager, 'Assistant manager', 'Jane');
  const price = manager.getByRole('link', { name: new RegExp(`Price the order of table ${number}\\b`) });
  await price.click();
  await manager.getByLabel('Subtotal').fill('20.00');
  await manager.getByLabel('Tax').fill('four');
  await manager.getByLabel('Total', { exact: true }).fill('24');
  await manager.getByRole('button', { name: 'This is the price' }).click();
  assert.equal(await manager.getByLabel('Tax').inputValue(), 'four', 'what was typed is kept');
  assert.equal(await manager.getByLabel('Tax').getAttribute('aria-invalid'), 'true');
  await manager.getByLabel('Tax').fill('4.00');
  await manager.getByRole('button', { name: 'This is the price' }).click();
  await manager.waitForURL(/\/inbox/);
  assert.match(await manager.locator('main').innerText(), /Order priced/);
}

export const tests = {
  'an order is taken, cooked and priced': async (t) => takeAndCook(t, {}),

  'the same without scripts': async (t) => takeAndCook(t, { javaScriptEnabled: false }),

  'a list follows along while somebody looks at it': async ({ newPage, base, assert }) => {
    const number = table();
    const cook = await newPage();
    await be(cook, 'Cook', 'Tom');
    const task = cook.getByRole('link', { name: new RegExp(`Cook the food for table ${number}\\b`) });
    assert.equal(await task.count(), 0);
    const order = crypto.randomUUID();
    const body = { order, table: number, dishes: ['soup'], pays_first: false };
    assert.equal((await command(base, 'PlaceOrder', body)).status, 200);
    await task.waitFor();
  },

  'a double click places one order': async ({ newPage, base, assert }) => {
    const number = table();
    const waiter = await newPage();
    await be(waiter, 'Waiter');
    await fillOrder(waiter, number);
    await waiter.getByRole('button', { name: 'Send it to the kitchen' }).dblclick();
    await waiter.waitForURL(/\/inbox/);
    assert.equal((await placed(base, number)).length, 1);
  },

  'the same form sent again places no second order': async ({ newPage, base, assert }) => {
    const number = table();
    const waiter = await newPage({ javaScriptEnabled: false });
    await be(waiter, 'Waiter');
    await fillOrder(waiter, number);
    const fields = await waiter
      .locator('form#form input')
      .evaluateAll((inputs) =>
        inputs
          .filter((input) => input.type !== 'radio' || input.checked)
          .map((input) => [input.name, input.value]),
      );
    await waiter.getByRole('button', { name: 'Send it to the kitchen' }).click();
    await waiter.waitForURL(/\/inbox/);
    const form = Object.fromEntries(fields);
    const again = await waiter.request.post('/do/PlaceOrder', { form });
    assert.equal(again.status(), 200);
    assert.match(await again.text(), /already/, 'it says that it was recorded before');
    assert.equal((await placed(base, number)).length, 1);
  },

  'a stale form is refused, says why, and keeps what was typed': async ({
    newPage,
    base,
    assert,
  }) => {
    const order = crypto.randomUUID();
    const body = { order, table: table(), dishes: ['soup'], pays_first: false };
    assert.equal((await command(base, 'PlaceOrder', body)).status, 200);
    const waiter = await newPage();
    await be(waiter, 'Waiter');
    await waiter.goto(`/do/CancelOrder?order=${order}`);
    await waiter.getByLabel('Why?').fill('the guests left');
    const cooked = { order, ingredients: ['water'], cooked_by: 'Harry' };
    assert.equal((await command(base, 'CookFood', cooked)).status, 200);
    await waiter.getByRole('button', { name: 'Cancel the order' }).click();
    const alert = waiter.getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.innerText(), /the food is already cooked/i);
    assert.equal(await waiter.getByLabel('Why?').inputValue(), 'the guests left');
    assert.match(await waiter.locator('main').innerText(), /Harry/, 'it says what changed');
  },
};

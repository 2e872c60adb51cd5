// An order in the browser from hand to hand: taken, cooked, priced; with scripts and without.
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
};

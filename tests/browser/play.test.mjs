// A board that is played: its notes are a running system, before a line of code exists.

import { readFile } from 'node:fs/promises';

/** Who sits at a browser, in one role after the other. */
class Player {
  constructor(page, base) {
    this.page = page;
    this.base = base;
  }

  async be(role) {
    await this.page.goto(`${this.base}/`);
    await this.page.getByRole('button', { name: new RegExp(`^${role}\\b`) }).click();
    await this.page.waitForURL('**/inbox');
  }

  /** Does what is asked of a role, and gives the receipt. */
  async asked(role, task, words = {}, choice = '') {
    await this.be(role);
    // It is asked a moment after what it answers; the page follows along.
    await this.page.locator('main a.task', { hasText: task }).first().click();
    return this.fill(words, choice);
  }

  async fill(words, choice = '') {
    const { page } = this;
    for (const [label, value] of Object.entries(words)) {
      await page.getByRole('textbox', { name: label, exact: true }).fill(value);
    }
    if (choice) await page.getByLabel(choice, { exact: true }).check();
    await page.locator('#form button.primary').click();
    await page.waitForURL('**/inbox?done=*');
    return page.locator('#receipt').innerText();
  }

  async order(table) {
    await this.be('Waiter');
    await this.page.getByRole('link', { name: 'Place order' }).click();
    return this.fill({ Table: table, Dishes: 'cake, tea' }, 'No');
  }

  async letPass(time) {
    await this.page.goto(`${this.base}/play`);
    await this.page.getByRole('button', { name: time }).click();
    await this.page.getByText(`${time} passed.`).waitFor();
  }
}

export const tests = {
  'the restaurant is played from the order to the spike': async (given) => {
    const { newPage, play, run, assert } = given;
    const page = await newPage({ viewport: { width: 1200, height: 900 } });
    const player = new Player(page, play.base);
    assert.match(await player.order('4'), /Order placed\./);
    // The kitchen forgets it: the time-out of the board comes, and the cook is asked again.
    await player.letPass('30 minutes');
    await player.be('Cook');
    await page.locator('main a.task', { hasText: 'asked twice' }).waitFor();
    // What happened becomes an example on the board,
    await page.goto(`${play.base}/play`);
    await page.getByLabel(/^What is it an example of/).fill('The kitchen forgets a table');
    await page.getByRole('button', { name: 'Save what happened as an example' }).click();
    await page.getByText('The example “The kitchen forgets a table” stands on the board now.').waitFor();
    const board = await readFile(play.file, 'utf8');
    assert.match(board, /example The kitchen forgets a table\n {2}given Order placed with /);
    assert.match(board, /when 30 minutes pass\n {2}then Cooking timed out with /);
    // which breaks no rule of it, and holds for the program that was made from it.
    await run('fait', 'board', 'lint', play.file);
    const tried = await run('restaurant', '--board-test', play.file);
    assert.match(tried, /The kitchen forgets a table/);
    assert.doesNotMatch(tried, /FAILED/);
    // The play goes on.
    const cooked = { Ingredients: 'flour, eggs', 'Cooked by': 'Tom' };
    assert.match(await player.asked('Cook', 'Cook food', cooked), /Order cooked\./);
    const price = { Subtotal: '20', Tax: '4', Total: '24' };
    assert.match(await player.asked('Assistant manager', 'Price order', price), /Order priced\./);
    assert.match(await player.asked('Cashier', 'Take payment'), /Payment started\./);
    // The other system is played by hand.
    const charged = await player.asked('Card terminal', 'Charge card', {}, 'Card charged');
    assert.match(charged, /Card charged\./);
    await page.goto(`${play.base}/events?type=OrderSpiked`);
    await page.locator('#story').getByText(/^Order spiked/).first().waitFor();
    await page.goto(`${play.base}/events?type=OrderPaid`);
    await page.locator('#story').getByText(/^Order paid/).first().waitFor();
    // The board shows what was played.
    await page.goto(`${play.base}/board?note=event-order-paid`);
    assert.match(await page.locator('#panel').innerText(), /In the store\s+\d+ times?, the last/);
    assert.match(await page.locator('#board-foot').innerText(), /the board itself is played/);
  },

  'a task is refused when whoever plays it says so': async ({ newPage, play, assert }) => {
    const page = await newPage();
    const player = new Player(page, play.base);
    await player.be('Waiter');
    await page.getByRole('link', { name: 'Place order' }).click();
    await page.getByRole('textbox', { name: 'Table', exact: true }).fill('5');
    await page.getByRole('textbox', { name: 'Dishes', exact: true }).fill('cake');
    await page.getByLabel('No', { exact: true }).check();
    await page.getByLabel('Refused because no dishes were chosen').check();
    await page.locator('#form button.primary').click();
    await page.locator('#errors').waitFor();
    assert.match(await page.locator('#errors').innerText(), /No dishes were chosen/);
  },

  'a play says that it is one, and lets no nonsense pass': async ({ newPage, play, axe, assert }) => {
    const looks = [
      { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
      { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true },
    ];
    for (const look of looks) {
      const page = await newPage(look);
      for (const path of ['/', '/play', '/board', '/inbox']) {
        await page.goto(play.base + path);
        assert.match(await page.locator('#played').innerText(), /This is a play of the board/);
        assert.deepEqual(await axe(page), [], path);
        const over = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.ok(over <= 0, `${path} is ${over} px too wide`);
      }
      await page.goto(`${play.base}/play`);
      await page.getByLabel('Another time').fill('soon');
      await page.getByRole('button', { name: 'Let it pass' }).click();
      await page.locator('#errors').waitFor();
      assert.deepEqual(await axe(page), []);
    }
  },
};

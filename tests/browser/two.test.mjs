// Two systems that ask and tell each other: one flow through both, and how the way between them
// stands.

/** The same page again, until something is on it; the limit of the test ends this. */
async function reloadUntil(page, locator) {
  while ((await locator.count()) === 0) {
    await page.waitForTimeout(100);
    await page.reload();
  }
}

/** The page of a flow that went through both, reached as a person would. */
async function openFlow(page, office) {
  await page.goto(`${office}/events?type=SponsorTicketsBooked`);
  const booked = page.locator('main').getByRole('link', { name: 'Sponsor tickets booked' });
  await reloadUntil(page, booked);
  await booked.first().click();
  await page.getByRole('heading', { level: 1, name: 'Sponsor tickets booked' }).waitFor();
  await page.locator('a[href^="/flows/"]').click();
  await page.getByRole('heading', { level: 1, name: 'One flow' }).waitFor();
}

/** What breaks the rules for everybody, on a page. */
async function problemsOf(page, axe) {
  const found = await axe(page);
  const over = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  return over > 0 ? [...found, `${over} px too wide`] : found;
}

export const tests = {
  'one flow is one page across both, and leads into the other': async (given) => {
    const { newPage, two, assert } = given;
    const page = await newPage();
    await openFlow(page, two.office);
    await reloadUntil(page, page.locator('#flow', { hasText: 'in 2 systems' }));
    const tree = page.locator('#causes');
    // Each system by its own name, and in words: what was asked there, what came of it here.
    for (const words of [
      'Sponsor onboarded',
      'Meal tickets was told to issue meal tickets',
      'Told to others',
      'Heard from others',
      '“Feed a sponsor\'s guests” began to book sponsor tickets',
    ]) {
      assert.equal(await tree.getByRole('link', { name: words, exact: true }).count(), 1, words);
    }
    const there = tree.getByRole('listitem').filter({ hasText: /^Meal tickets issued .*Meal tickets, / });
    assert.equal(await there.count(), 1);
    // Where it happened in the other system, it is shown there.
    await there.getByRole('link', { name: 'Meal tickets issued' }).first().click();
    await page.waitForURL(`${two.house}/events/*`);
    await page.getByRole('heading', { level: 1, name: 'Meal tickets issued' }).waitFor();
  },

  'the pages between two systems are for everybody, on a phone and in the dark': async (given) => {
    const { newPage, two, axe, assert } = given;
    for (const look of [
      { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
      { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
    ]) {
      const page = await newPage(look);
      await openFlow(page, two.office);
      const where = (path) => `${path} at ${look.viewport.width}`;
      assert.deepEqual(await problemsOf(page, axe), [], where('the flow'));
      for (const path of [`${two.office}/bus`, `${two.house}/bus`, `${two.office}/status`]) {
        await page.goto(path);
        assert.deepEqual(await problemsOf(page, axe), [], where(path));
        // How it stands is what one looks for: it is seen without scrolling aside.
        for (const cell of await page.locator('td.many').all()) {
          const { right } = await cell.evaluate((td) => td.getBoundingClientRect().toJSON());
          assert.ok(right <= look.viewport.width, `${where(path)}: ${right}`);
        }
      }
    }
  },
};

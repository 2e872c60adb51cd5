// Runs the browser tests: node run.mjs http://127.0.0.1:PORT [--filter TEXT]
//
// Every `*.test.mjs` beside this file exports
//     export const tests = { 'what holds': async ({ newPage, base, axe, assert }) => { … } };
// Tests run one after another, each with browser contexts of its own. They get:
//     base      the address of the system, without a slash at the end
//     board     the pages of a board without a system: `board.base` is their address, `board.file`
//               the file, which tests may write
//     play      a board that is played: `play.base` and `play.file` as with `board`
//     two       two systems: `two.office` is the address of sponsorship, `two.house` that of tickets
//     run       run(program, ...words) runs `fait` or `restaurant`, and gives what it said
//     browser   the browser, for what the rest does not cover
//     newPage   newPage(options) is a page in a fresh context; options as for a context, such as
//               { javaScriptEnabled: false }. Paths are relative to `base`: page.goto('/inbox').
//     axe       axe(page, options) gives what breaks WCAG 2.2 A or AA, one line for each;
//               `options` go to axe.run
//     problems  problems(page) is the list of what the page did wrong so far
//     assert    node:assert/strict
// A test also fails when one of its pages broke its Content-Security-Policy or threw an error that
// nobody caught, unless the page was made with { expectProblems: true }.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const here = fileURLToPath(new URL('.', import.meta.url));
const results = process.env.RESULTS || join(here, '../../target/browser');
const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const axeSource = await readFile(axeFile, 'utf8');

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'];
const TEST_LIMIT_MS = 60_000;
const ACTION_LIMIT_MS = 10_000;

function readArguments(args) {
  const [address, ...rest] = args;
  if (!address || !/^https?:\/\//.test(address)) {
    throw new Error('usage: node run.mjs http://127.0.0.1:PORT [--filter TEXT]');
  }
  let filter = '';
  for (let i = 0; i < rest.length; i += 2) {
    if (rest[i] !== '--filter' || rest[i + 1] === undefined) {
      throw new Error(`not understood: ${rest.slice(i).join(' ')}`);
    }
    filter = rest[i + 1];
  }
  return { base: address.replace(/\/+$/, ''), filter };
}

/** The pages of a board without a system. */
const board = { base: process.env.BOARD_SITE, file: process.env.BOARD_FILE };

/** A board that is played. */
const play = { base: process.env.PLAY_SITE, file: process.env.PLAY_FILE };

/** Two systems that ask and tell each other. */
const two = { office: process.env.SPONSORSHIP_SITE, house: process.env.TICKETS_SITE };

/** Runs a program of ours; it must end well. */
async function run(program, ...words) {
  const path = { fait: process.env.FAIT, restaurant: process.env.RESTAURANT }[program];
  const { stdout, stderr } = await promisify(execFile)(path, words);
  return stdout + stderr;
}

/** Every test of every file: name, function. */
async function collect(filter) {
  const files = (await readdir(here)).filter((file) => file.endsWith('.test.mjs')).sort();
  const found = [];
  for (const file of files) {
    const { tests } = await import(pathToFileURL(join(here, file)));
    if (!tests) throw new Error(`${file} exports no \`tests\``);
    for (const [name, run] of Object.entries(tests)) {
      const full = `${file.replace('.test.mjs', '')}: ${name}`;
      if (full.includes(filter)) found.push({ name: full, run });
    }
  }
  return found;
}

/** What one test works with: its pages, what they did wrong, and the helpers. */
class Bench {
  constructor(browser, base) {
    this.browser = browser;
    this.base = base;
    this.pages = [];
  }

  async newPage({ expectProblems = false, ...options } = {}) {
    const context = await this.browser.newContext({ baseURL: this.base, ...options });
    context.setDefaultTimeout(ACTION_LIMIT_MS);
    const page = await context.newPage();
    const kept = { page, context, options, expectProblems, problems: [] };
    this.pages.push(kept);
    page.on('console', (message) => {
      if (/Content[- ]Security[- ]Policy/i.test(message.text())) {
        kept.problems.push(`blocked by the Content-Security-Policy: ${message.text()}`);
      }
    });
    page.on('pageerror', (error) => kept.problems.push(`error on the page: ${error.message}`));
    return page;
  }

  problems(page) {
    return this.pages.find((kept) => kept.page === page)?.problems ?? [];
  }

  /** What breaks WCAG 2.2 A or AA on a page, one line for each element. */
  async axe(page, options = {}) {
    const kept = this.pages.find((kept) => kept.page === page);
    if (kept?.options.javaScriptEnabled === false) return this.axeOfCopy(kept, options);
    const before = this.problems(page).length;
    // Evaluated by the debugger, which no Content-Security-Policy forbids.
    await page.evaluate(axeSource);
    const { violations } = await page.evaluate(
      (given) => globalThis.axe.run(document, given),
      { runOnly: WCAG, resultTypes: ['violations'], ...options },
    );
    // What axe itself may have caused is not the page's doing.
    this.problems(page).splice(before);
    return violations.flatMap((violation) =>
      violation.nodes.map(
        (node) => `${violation.id}: ${violation.help} (${node.target.join(' ')}) ${node.html}`,
      ),
    );
  }

  /** axe needs scripts: a page without them is judged as a copy whose own scripts do not load. */
  async axeOfCopy({ page, context, options }, axeOptions) {
    const storageState = await context.storageState();
    const copy = await this.newPage({
      ...options,
      storageState,
      javaScriptEnabled: true,
      bypassCSP: true,
      expectProblems: true,
    });
    const [url, body] = [page.url().split('#')[0], await page.content()];
    await copy.route('**/*', (route) => {
      const request = route.request();
      if (request.resourceType() === 'script') return route.abort();
      if (!request.isNavigationRequest()) return route.continue();
      return route.fulfill({ contentType: 'text/html; charset=utf-8', body });
    });
    await copy.goto(url);
    return this.axe(copy, axeOptions);
  }

  /** What a test gets. */
  helpers() {
    return {
      browser: this.browser,
      base: this.base,
      board,
      play,
      two,
      run,
      newPage: (options) => this.newPage(options),
      axe: (page, options) => this.axe(page, options),
      problems: (page) => this.problems(page),
      assert,
    };
  }

  /** Problems of pages that were to have none. */
  unexpected() {
    return this.pages.filter((kept) => !kept.expectProblems).flatMap((kept) => kept.problems);
  }

  async screenshots(name) {
    const file = name.replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, 80);
    const paths = [];
    for (const [i, { page }] of this.pages.entries()) {
      const path = join(results, `${file}-${i + 1}.png`);
      try {
        await page.screenshot({ path, fullPage: true, timeout: 5_000 });
        paths.push(path);
      } catch {
        // A page that is closed or broken has no picture; the error of the test says more.
      }
    }
    return paths;
  }

  async close() {
    for (const { context } of this.pages) await context.close().catch(() => {});
  }
}

function withLimit(promise) {
  let timer;
  const limit = new Promise((_, reject) => {
    const error = new Error(`not done within ${TEST_LIMIT_MS / 1000} s`);
    timer = setTimeout(() => reject(error), TEST_LIMIT_MS);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

async function runOne(browser, base, { name, run }) {
  const bench = new Bench(browser, base);
  const begun = performance.now();
  try {
    await withLimit(run(bench.helpers()));
    if (bench.unexpected().length > 0) throw new Error('a page did something wrong');
    console.log(`ok ${name} (${Math.round(performance.now() - begun)} ms)`);
    return true;
  } catch (error) {
    console.log(`FAILED ${name}`);
    console.log(String(error?.stack ?? error).replace(/^/gm, '    '));
    for (const problem of bench.unexpected()) console.log(`    ${problem}`);
    for (const path of await bench.screenshots(name)) console.log(`    screenshot: ${path}`);
    return false;
  } finally {
    await bench.close();
  }
}

async function main() {
  const { base, filter } = readArguments(process.argv.slice(2));
  const tests = await collect(filter);
  if (tests.length === 0) {
    console.log(filter ? `no browser test has \`${filter}\` in its name` : 'no browser tests');
    return false;
  }
  await mkdir(results, { recursive: true });
  const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: FLAGS, headless: true });
  let failed = 0;
  try {
    for (const test of tests) failed += (await runOne(browser, base, test)) ? 0 : 1;
  } finally {
    await browser.close();
  }
  console.log(`browser: ${tests.length - failed} passed, ${failed} failed`);
  return failed === 0;
}

process.exitCode = (await main()) ? 0 : 1;

// A patient's space in a real browser: what every journey needs.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

// Screens that people have: a phone held in one hand, a desk.
export const screens = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };

export const cast = JSON.parse(fs.readFileSync(process.env.CAST, "utf8"));
const shots = process.env.SHOTS;

let failures = 0;

// fail tells what is wrong and goes on: one run shows everything.
export function fail(where, what) {
  failures++;
  console.log(`broken ${where}: ${what}`);
}

export function must(ok, where, what) {
  if (!ok) fail(where, what);
}

// end closes the browser and exits with 1 if anything was wrong.
export async function end(browser) {
  await browser.close();
  console.log(failures ? `${failures} failed` : "all ok");
  process.exit(failures ? 1 : 0);
}

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
}

// visitor opens a window; whatever the page asks of anybody else is a failure, and
// so is what the policy had to stop.
export async function visitor(browser, name, options = {}) {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true, locale: "fr-FR", timezoneId: "Europe/Paris", reducedMotion: "reduce", ...options,
  });
  context.setDefaultTimeout(15000);
  const page = await context.newPage();
  const home = new URL(cast.base).origin;
  page.on("request", (r) => {
    const at = new URL(r.url());
    if (!["data:", "blob:", "about:", "chrome-extension:"].includes(at.protocol) && at.origin !== home) fail(name, `a request to ${at.origin}`);
  });
  page.on("pageerror", (e) => fail(name, `script error: ${e.message}`));
  page.on("console", (m) => {
    if (m.type() === "error" && /Content Security Policy|Refused to/.test(m.text())) fail(name, m.text());
  });
  return { context, page, name };
}

export async function signIn(page, person, code) {
  await page.goto(cast.base + "/");
  await page.fill('[name="web_login"]', person.web_login);
  await page.fill('[name="web_password"]', person.web_password);
  await page.click('main [type="submit"]');
  await page.waitForLoadState();
  if (code) {
    await page.fill('[name="code"]', code);
    await page.click('main [type="submit"]');
    await page.waitForLoadState();
  }
}

export async function shot(page, name) {
  if (shots) await page.screenshot({ path: path.join(shots, name + ".png"), fullPage: true });
}

// healthy holds a page against axe-core and against a horizontal scroll bar.
export async function healthy(page, name) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"], iframes: false }));
  for (const v of result.violations) {
    fail(name, `axe ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " " + n.html.slice(0, 140)).join(" | ")}`);
  }
  const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth);
  must(wide <= 0, name, `${wide} px wider than the screen`);
  must((await page.locator("h1").count()) === 1, name, "not exactly one h1");
  must(/ · /.test(await page.title()), name, `the title is ${JSON.stringify(await page.title())}`);
}

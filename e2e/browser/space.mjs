// A patient's space in a real browser: what every script needs.
//
// A script prints "broken WHERE: WHAT" for each thing that is wrong, goes on, and ends
// with 1 if there was any. CAST names the file that says who is who; SHOTS, if set, is
// a folder for pictures; CHROMIUM, if set, is another browser.
import fs from "node:fs";
import path from "node:path";
import { createHmac } from "node:crypto";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const cast = JSON.parse(fs.readFileSync(process.env.CAST, "utf8"));
const shots = process.env.SHOTS;
if (shots) fs.mkdirSync(shots, { recursive: true });

// Screens that people have: a phone held in one hand, a desk.
export const screens = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };

let failures = 0;

// fail tells what is wrong and goes on: one run shows everything.
export function fail(where, what) {
  failures++;
  console.log(`broken ${where}: ${String(what).replaceAll("\n", " ")}`);
}

export function must(ok, where, what) {
  if (!ok) fail(where, what);
  return Boolean(ok);
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

// visitor opens a browser of somebody's own. Whatever a page asks of anybody else is a
// failure; so are a script's error, a resource that does not come, and what the policy
// of a page had to stop.
export async function visitor(browser, name, options = {}) {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true, locale: "fr-FR", timezoneId: "Europe/Paris", reducedMotion: "reduce", viewport: screens.phone, ...options,
  });
  context.setDefaultTimeout(15000);
  const home = new URL(cast.base).origin;
  context.on("request", (r) => {
    const at = new URL(r.url());
    const own = ["data:", "blob:", "about:", "chrome-extension:", "chrome:"].includes(at.protocol);
    if (!own && at.origin !== home) fail(name, `a request to ${at.origin}`);
  });
  context.on("response", (r) => {
    if (r.status() >= 400 && !r.request().isNavigationRequest()) fail(name, `${r.url()} answered ${r.status()}`);
  });
  context.on("console", (m) => {
    if (/Content Security Policy|Refused to|sandboxed/.test(m.text())) fail(name, m.text());
  });
  context.on("weberror", (e) => fail(name, `script error: ${e.error()}`));
  return { context, page: await context.newPage(), name };
}

// signIn goes through the door. It returns the answer to the last form.
export async function signIn(page, person, code) {
  await page.goto(cast.base + "/");
  await page.fill('[name="web_login"]', person.web_login);
  await page.fill('[name="web_password"]', person.web_password);
  await press(page, 'main [type="submit"]');
  if (code !== undefined) {
    await page.fill('[name="code"]', code);
    await press(page, 'main [type="submit"]');
  }
}

// press follows a link or sends a form, and waits for the page that comes.
export async function press(page, what) {
  const target = typeof what === "string" ? page.locator(what).first() : what;
  const [answer] = await Promise.all([
    page.waitForResponse((r) => r.request().isNavigationRequest() && r.frame() === page.mainFrame() && (r.status() < 300 || r.status() >= 400)),
    target.click(),
  ]);
  await page.waitForLoadState("load");
  return answer;
}

// facts asks for a page's facts as a program does.
export async function facts(context, where) {
  const answer = await context.request.get(cast.base + where, { headers: { Accept: "application/json" } });
  if (!answer.ok()) throw new Error(`${where} answered ${answer.status()}`);
  return answer.json();
}

export async function shot(page, name) {
  if (shots) await page.screenshot({ path: path.join(shots, name.replace(/[^a-z0-9-]+/gi, "-") + ".png"), fullPage: true });
}

// inspected runs axe-core; rules, if given, are the only ones.
export async function inspected(page, name, rules) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const options = { resultTypes: ["violations"], iframes: false };
  if (rules) options.runOnly = rules;
  const found = await page.evaluate((o) => globalThis.axe.run(document, o), options);
  for (const v of found.violations) {
    const nodes = v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} ${n.html.slice(0, 140)} ${n.any?.[0]?.message ?? ""}`);
    fail(name, `axe ${v.id}: ${v.help}: ${nodes.join(" | ")}`);
  }
}

// healthy holds a page against axe-core. Without rules it also wants one h1, a title that
// says where one is, a language, and nothing that sends a letter on to somebody else.
export async function healthy(page, name, rules) {
  await inspected(page, name, rules);
  if (rules) return;
  must((await page.locator("h1").count()) === 1, name, "not exactly one h1");
  must(/ · /.test(await page.title()), name, `the title is ${JSON.stringify(await page.title())}`);
  must(/^(fr|en)$/.test(await page.evaluate(() => document.documentElement.lang)), name, "no language");
  const bad = await page.$$eval("a, button, input[type=submit], option, [role=button]", (all) => all
    .map((e) => `${e.textContent} ${e.getAttribute("href") ?? ""} ${e.getAttribute("formaction") ?? ""} ${e.getAttribute("aria-label") ?? ""}`)
    .filter((s) => /transf[ée]r|faire suivre|réexpédi|forward|\/fwd/i.test(s)));
  must(bad.length === 0, name, `a control offers to forward: ${bad}`);
}

// unframed opens the document of a framed letter in a page of its own, without its
// policy. In its frame no script runs, not even ours: that is the point of it.
export async function unframed(browser, context, href) {
  const answer = await context.request.get(cast.base + href);
  const policy = answer.headers()["content-security-policy"] ?? "";
  must(answer.status() === 200 && /default-src 'none'.*sandbox/.test(policy) && !/allow-(scripts|same-origin|forms|top)/.test(policy), href, `its policy is ${policy}`);
  const alone = await visitor(browser, "a framed letter alone");
  await alone.page.setContent(await answer.text());
  return alone;
}

// fits holds that nothing is wider than the screen.
export async function fits(page, name) {
  const over = await page.evaluate(() => {
    const width = document.scrollingElement.clientWidth;
    if (document.scrollingElement.scrollWidth <= width) return "";
    const wide = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 0.5 && !e.closest("svg"));
    return `${document.scrollingElement.scrollWidth - width} px wider than the screen: ` +
      wide.slice(-3).map((e) => `${e.tagName.toLowerCase()}.${e.className} ${e.textContent.trim().slice(0, 40)}`).join(" | ");
  });
  must(!over, name, over);
}

// totp is the code of an authenticator (RFC 6238: SHA-1, 30 s, six digits), steps from
// now.
export function totp(secret, steps = 0) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret.replace(/[^A-Z2-7]/gi, "").toUpperCase()].map((c) => letters.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const count = Buffer.alloc(8);
  count.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps));
  const mac = createHmac("sha1", key).update(count).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, "0");
}

// Every page of a patient's space, on a phone and at a desk, light and dark: no
// violation that axe-core sees, no sideways scrolling, nothing fetched from anywhere.
import { cast, end, fail, healthy, launch, must, screens, shot, signIn, visitor } from "./space.mjs";

const browser = await launch();

// links collects the pages of the space that a page leads to, one of each kind.
async function links(page) {
  const found = await page.$$eval("a[href]", (all) => all.map((a) => a.getAttribute("href")));
  return found.filter((h) => h.startsWith("/") && !h.startsWith("//") && !/\/(parts|original|embedded|ics|html|static)(\/|$)/.test(h));
}

// kind names a page without the ids in its path.
const kind = (href) =>
  href.replace(/[?#].*/, "").split("/").filter(Boolean).map((p) => (/[0-9]/.test(p) || p.length > 20 ? "item" : p)).join("-") || "home";

for (const [screen, viewport] of Object.entries(screens)) {
  for (const colorScheme of ["light", "dark"]) {
    const look = `${screen}-${colorScheme}`;
    const { context, page } = await visitor(browser, look, { viewport, colorScheme });
    await page.goto(cast.base + "/");
    await healthy(page, `signin-${look}`);
    await shot(page, `signin-${look}`);
    await signIn(page, cast.patient);
    must(await page.locator("nav").count(), look, "no navigation after sign-in");
    const todo = ["/", "/no-such-page"];
    const done = new Set();
    while (todo.length && done.size < 60) {
      const href = todo.shift();
      if (done.has(kind(href))) continue;
      done.add(kind(href));
      const answer = await page.goto(cast.base + href);
      const name = `${kind(href)}-${look}`;
      if (!answer) {
        fail(name, "no answer");
        continue;
      }
      must(answer.status() === (href === "/no-such-page" ? 404 : 200), name, `answered ${answer.status()}`);
      await healthy(page, name);
      await shot(page, name);
      todo.push(...(await links(page)));
    }
    console.log(`ok ${look}: ${[...done].join(" ")}`);
    for (const expected of cast.pages) must(done.has(expected), look, `no link leads to ${expected}`);
    await context.close();
  }
}

// The narrowest screen, and a reader who doubles the size of everything.
for (const width of [320, 195]) {
  const { context, page } = await visitor(browser, `w${width}`, { viewport: { width, height: 700 } });
  await signIn(page, cast.patient);
  for (const href of ["/", "/messages", "/documents", "/agenda", "/history", "/outcome", "/settings"]) {
    await page.goto(cast.base + href);
    const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth);
    must(wide <= 0, `${href} at ${width} px`, `${wide} px wider than the screen`);
  }
  await context.close();
}
await end(browser);

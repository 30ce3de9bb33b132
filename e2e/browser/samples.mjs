// The documents of the corpus as their patient reads them: other people's text in our
// pages. Nothing that axe-core sees, no sideways scrolling, nothing fetched, none blank.
import { cast, end, facts, fits, inspected, launch, must, screens, shot, signIn, visitor } from "./space.mjs";

const browser = await launch();
const { context, page } = await visitor(browser, "samples", { viewport: screens.phone });
await signIn(page, cast.patients.pages);
let shown = 0;
for (let next = ""; ;) {
  const list = await facts(context, `/documents?category=all&limit=100&before=${encodeURIComponent(next)}`);
  for (const d of list.documents) {
    const name = `${d.title} ${d.id.slice(-4)}`;
    await page.setViewportSize(screens.phone);
    await page.emulateMedia({ colorScheme: "light" });
    await page.goto(`${cast.base}/documents/${d.id}`);
    await inspected(page, name);
    await fits(page, name);
    await shot(page, `sample-${name}-phone`);
    await page.emulateMedia({ colorScheme: "dark" });
    await inspected(page, `${name} dark`, ["color-contrast"]);
    await page.setViewportSize({ width: 320, height: 700 });
    await fits(page, `${name} at 320 px`);
    await page.setViewportSize(screens.desktop);
    await fits(page, `${name} at a desk`);
    if (process.env.SHOTS) {
      await page.emulateMedia({ colorScheme: "light" });
      await shot(page, `sample-${name}-desktop`);
    }
    const words = (await page.locator(".leaf").innerText()).length;
    must(words > 200 || await page.locator(".pdf").count(), name, `only ${words} characters are shown and no original`);
    shown++;
  }
  if (!(next = list.next ?? "")) break;
}
must(shown, "samples", "no document at all");
console.log(`${shown} documents`);
await end(browser);

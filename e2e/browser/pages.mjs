// Every page of a patient's space, on a phone and at a desk, light and dark: nothing
// that axe-core sees, no sideways scrolling down to 195 px (a phone whose reader doubles
// everything), nothing fetched from anywhere, no link to a page that is not held here.
import { cast, end, facts, fail, fits, healthy, inspected, launch, must, press, screens, shot, signIn, unframed, visitor } from "./space.mjs";

// Narrower than any phone that is sold: WCAG 1.4.10 (320 CSS px), and a 390 px phone at
// 200 %.
const narrow = [320, 195];

// kind names a page by its path: what is somebody's is {id}.
const kind = (href) => {
  const at = new URL(href, cast.base);
  return at.pathname.split("/").map((p) => (/[0-9]/.test(p) || p.length > 20 ? "{id}" : p)).join("/");
};

const held = new Set();
const led = new Map();

// look holds the page that is open, on every screen.
async function look(page, name) {
  held.add(kind(page.url()));
  for (const href of await page.$$eval("a[href], iframe[src]", (all) => all.map((a) => a.getAttribute("href") ?? a.getAttribute("src")))) {
    if (href.startsWith("/")) led.set(kind(href), name);
  }
  for (const [screen, viewport] of Object.entries(screens)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"]) {
      const where = `${name} ${screen} ${colorScheme}`;
      await page.emulateMedia({ colorScheme });
      await healthy(page, where, colorScheme === "dark" ? ["color-contrast"] : undefined);
      await fits(page, where);
      await shot(page, `${name}-${screen}-${colorScheme}`);
    }
  }
  for (const width of narrow) {
    await page.setViewportSize({ width, height: 700 });
    await fits(page, `${name} at ${width} px`);
  }
  await page.setViewportSize(screens.phone);
  // Generated boxes hide text from axe's contrast rule.
  await page.evaluate(() => {
    const none = new CSSStyleSheet();
    none.replaceSync("*::before, *::after { display: none !important }");
    document.adoptedStyleSheets = [none];
  });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await healthy(page, `${name} ${colorScheme} without generated boxes`, ["color-contrast"]);
  }
}

async function visit(page, name, href, status = 200) {
  const answer = await page.goto(cast.base + href);
  if (!answer) return fail(name, "no answer");
  must(answer.status() === status, name, `answered ${answer.status()}`);
  await look(page, name);
}

const browser = await launch();

// What strangers see.
const door = await visitor(browser, "door");
await visit(door.page, "signin", "/");
for (const name of ["help", "accessibility", "privacy", "status"]) await visit(door.page, `door-${name}`, "/" + name);
await visit(door.page, "door-stranger", "/messages", 401);
await visit(door.page, "door-unknown", "/no-such-page", 404);
await signIn(door.page, { web_login: "personne", web_password: "rien" });
await look(door.page, "signin-wrong");

// A space with nothing in it.
await signIn(door.page, cast.patients.empty);
for (const name of ["", "messages", "documents", "agenda", "history", "outcome"]) await visit(door.page, `empty-${name || "home"}`, "/" + name);
await door.context.close();

// A space that is lived in.
const { context, page } = await visitor(browser, "pages");
await signIn(page, cast.patients.pages);
await look(page, "home");
await visit(page, "messages", "/messages");
const letters = (await facts(context, "/messages")).messages;
for (const [name, subject] of Object.entries({
  "letter-discharge": "Lettre de sortie", "letter-image": "Radiographie", "letter-pdf": "Ordonnance", "letter-over": "Fin de la conversation",
  "letter-invitation": "Invitation", "letter-kept": "Document d", "letter-html": "mise en page",
})) {
  const found = letters.find((l) => l.subject.includes(subject));
  if (must(found, name, `no letter ${subject} among ${letters.map((l) => l.subject)}`)) await visit(page, name, "/messages/" + found.id);
}
const discharge = "/messages/" + letters.find((l) => l.subject.includes("Lettre de sortie")).id;
const alone = await unframed(browser, context, new URL(await page.locator("iframe.frame").getAttribute("src"), page.url()).pathname);
held.add("/messages/{id}/html");
await inspected(alone.page, "frame");
await fits(alone.page, "frame");
await shot(alone.page, "frame-phone-light");
await alone.context.close();
await visit(page, "reply", discharge + "/reply");
await page.evaluate(() => document.querySelectorAll("form").forEach((f) => { f.noValidate = true; }));
await press(page, 'main [type="submit"]');
await look(page, "reply-wrong");
await page.fill("textarea", "Bonjour docteur,\n\nDois-je continuer le furosémide ?");
await press(page, 'main [type="submit"]');
await look(page, "outcome-sent");
await visit(page, "outcome", "/outcome");
await visit(page, "messages-sent", "/messages?folder=sent");
await press(page, ".rows a");
await look(page, "letter-sent");
await visit(page, "messages-trash", "/messages?folder=trash");

await visit(page, "documents", "/documents");
await visit(page, "documents-all", "/documents?category=all");
const documents = (await facts(context, "/documents?category=all")).documents;
must(documents.length === 3, "documents", `${documents.length} documents, want 3`);
for (const d of documents) await visit(page, "document-" + d.title, "/documents/" + d.id);
await page.goto(cast.base + "/documents");
await press(page, ".tiles a");
await look(page, "documents-family");

await visit(page, "agenda", "/agenda");
for (const view of ["week", "month"]) await visit(page, `agenda-${view}`, `/agenda?view=${view}`);
const event = (await facts(context, "/agenda")).events[0];
must(event.status === "needs-action", "agenda", `an invitation is ${event.status}`);
await visit(page, "event", "/agenda/" + event.id);
await press(page, 'main button[value="accept"]');
await look(page, "event-accepted");
await visit(page, "agenda-week-planned", `/agenda?view=week&date=${event.start.slice(0, 10)}`);
await visit(page, "agenda-month-planned", `/agenda?view=month&date=${event.start.slice(0, 10)}`);

await visit(page, "history", "/history");
for (const name of ["more", "help", "accessibility", "privacy", "settings"]) await visit(page, name, "/" + name);
await visit(page, "password", "/settings/password");
await page.fill('[name="old"]', "ce n'est pas lui");
await page.fill('[name="new"]', "court");
await page.fill('[name="again"]', "court");
await press(page, 'main [type="submit"]');
await look(page, "password-wrong");
await visit(page, "factor", "/settings/code");
await page.fill('[name="password"]', cast.patients.pages.web_password);
await press(page, 'main [type="submit"]');
await look(page, "factor-begin");
await visit(page, "unknown", "/messages/0123456789abcdefghijklmn", 404);
await visit(page, "home-read", "/");

const files = /\/(parts|embedded)\/|\/(original|ics)$|^\/static\//;
for (const [k, from] of led) must(held.has(k) || files.test(k), from, `a link leads to ${k}, which is not held here`);
console.log(`held ${[...held].sort().join(" ")}`);
await end(browser);

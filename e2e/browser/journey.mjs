// What a patient does in their space, on a phone and at a desk, with JavaScript and
// without: the same steps, the same pages.
//
// "please NAME" asks whoever runs this to send NAME's patient the letter "Nouvelle du
// jour" now.
import { cast, end, facts, fail, launch, must, press, screens, shot, signIn, totp, unframed, visitor } from "./space.mjs";

// within is how soon an open page has to tell of a new letter, in milliseconds.
const within = 5000;

// step does one step and goes on when it fails: one run shows everything.
async function step(v, what, doing) {
  const begin = Date.now();
  try {
    await doing();
  } catch (e) {
    fail(`${v.name}, ${what}`, `${e.message.split("\n")[0]} at ${v.page.url()}`);
    await shot(v.page, `broken-${v.name}-${what}`).catch(() => {});
  }
  v.took.push(`${what} ${Date.now() - begin}`);
}

const text = (page) => page.locator("main").innerText();

async function says(v, page, pattern, what) {
  const said = (await text(page)).replace(/\s+/g, " ");
  must(pattern.test(said), v.name, `${what}: ${pattern} is not in "${said.slice(0, 300)}"`);
}

// arrives signs in and reads the discharge report: one tap from home.
async function arrives(v) {
  const { page } = v;
  await signIn(page, v.person);
  must(new URL(page.url()).pathname === "/", v.name, `after the sign-in at ${page.url()}`);
  await press(page, ".mail--new .row-link");
  v.letter = page.url();
  await says(v, page, /rangé dans vos documents/, "the letter tells of no filing");
  const narrative = page.locator(".leaf").filter({ hasText: "Traitement à la sortie" });
  must(await narrative.locator("table").getByText("Bisoprolol").isVisible(), v.name, "the narrative of the report is not shown");
  await shot(page, `journey-letter-${v.name}`);
}

// reads the documents: the report by its link in the letter, a PDF by the list.
async function reads(v) {
  const { page } = v;
  await press(page, page.locator(".letter-foot .proof a"));
  must(/\/documents\//.test(page.url()), v.name, `the filed document is at ${page.url()}`);
  must(await page.locator(".leaf").getByText("Furosémide").isVisible(), v.name, "the document is not shown");
  await page.goto(cast.base + "/documents");
  await press(page, page.getByRole("link", { name: "Compte rendu de radiographie" }));
  must(await page.locator("iframe.pdf-frame").count(), v.name, "the PDF is not on its page");
  const link = page.getByRole("link", { name: /Ouvrir le PDF/ });
  const pdf = await v.context.request.get(cast.base + await link.getAttribute("href"));
  must(pdf.headers()["content-type"] === "application/pdf" && (await pdf.body()).subarray(0, 5).toString() === "%PDF-", v.name, "the link leads to no PDF");
}

// replies writes with a file, and sees what becomes of it.
async function replies(v) {
  const { page } = v;
  await page.goto(v.letter);
  await press(page, page.getByRole("link", { name: "Répondre" }));
  await page.fill("textarea", "Bonjour docteur,\n\nDois-je continuer le furosémide ?");
  await page.setInputFiles('input[type="file"]', { name: "tension.txt", mimeType: "text/plain", buffer: Buffer.from("lundi 13/8\nmardi 12/8\n") });
  await press(page, page.getByRole("button", { name: "Envoyer" }));
  must(/\/outcome\//.test(page.url()), v.name, `after the answer at ${page.url()}`);
  await says(v, page, /Votre message est parti.*Parti/, "the timeline");
  for (let i = 0; i < 40 && !/Transmis/.test(await text(page)); i++) {
    await page.waitForTimeout(250);
    await page.reload();
  }
  await says(v, page, /Transmis à la messagerie du destinataire/, "the timeline after a while");
  await shot(page, `journey-outcome-${v.name}`);
}

// accepts the invitation: from the letter without JavaScript, else from the agenda.
async function accepts(v) {
  const { page } = v;
  await page.goto(cast.base + "/");
  await press(page, ".invite .row-link");
  if (!v.js) await press(page, page.getByRole("link", { name: "Lire la lettre" }));
  await press(page, page.getByRole("button", { name: "Oui, je viens" }));
  await says(v, page, /Votre oui est parti.*Vous avez dit oui/, "the answer to the invitation");
}

// cannot answer a letter that ended the exchange, and is told why.
async function cannot(v) {
  const { page } = v;
  await page.goto(cast.base + "/messages");
  await press(page, page.getByRole("link", { name: "Fin de la conversation" }));
  await says(v, page, /Vous ne pouvez pas répondre à cette lettre\. .+ a fermé la conversation\./, "the letter that ends the exchange");
  must(!(await page.getByRole("link", { name: "Répondre" }).count()), v.name, "a way to answer what cannot be answered");
  await page.goto(page.url() + "/reply");
  await says(v, page, /Vous ne pouvez pas répondre/, "the form of an answer that is not possible");
  must(!(await page.locator("main textarea").count()), v.name, "a form for an answer that nobody reads");
}

// sees who looked: each opening of theirs.
async function sees(v) {
  await v.page.goto(cast.base + "/history");
  for (const pattern of [/Vous avez ouvert une lettre Lettre de sortie/, /Vous avez ouvert un document Compte rendu de radiographie/, /A rangé un document/]) {
    await says(v, v.page, pattern, "the history");
  }
}

// hears of a new letter: by itself with JavaScript, else when the page is asked again.
async function hears(v) {
  const { page } = v;
  await page.goto(cast.base + "/messages");
  const fresh = page.locator("main .rows").getByText("Nouvelle du jour");
  if (!v.js) {
    console.log(`please ${v.name}`);
    for (let i = 0; i < 40 && !(await fresh.count()); i++) {
      await page.waitForTimeout(250);
      await page.reload();
    }
    must(await fresh.count(), v.name, "no new letter after a reload");
    return;
  }
  await page.waitForTimeout(500); // the stream is open
  const held = page.getByRole("link", { name: "Lettre de sortie" });
  await held.focus();
  const before = await held.getAttribute("href");
  await page.evaluate(() => { globalThis.sameAsBefore = true; });
  console.log(`please ${v.name}`);
  await fresh.waitFor({ timeout: within }).catch(() => fail(v.name, `the list has no new letter after ${within} ms`));
  const after = await page.evaluate(() => ({
    same: globalThis.sameAsBefore === true, focus: document.activeElement?.getAttribute("href"),
    status: document.querySelector("[role=status]")?.textContent, title: document.title,
  }));
  must(after.same, v.name, "the page was loaded again");
  must(after.focus === before, v.name, `the focus went to ${after.focus}`);
  must(/lettre nouvelle/.test(after.status), v.name, `the status line says ${JSON.stringify(after.status)}`);
}

// ends the visit on another device, whose next page is the sign-in.
async function ends(v, browser) {
  const other = await visitor(browser, v.name + ", other device", v.options);
  await signIn(other.page, v.person);
  const { page } = v;
  await page.goto(cast.base + "/settings");
  const row = page.locator("li.row", { has: page.getByRole("button", { name: /Déconnecter/ }) });
  must((await row.count()) === 1, v.name, `${await row.count()} other devices`);
  await press(page, row.getByRole("button"));
  await says(v, page, /Cet appareil est déconnecté/, "the devices");
  const answer = await other.page.goto(cast.base + "/messages");
  must(answer.status() === 401 && (await other.page.locator('[name="web_password"]').count()), v.name, `the ended visit got ${answer.status()}`);
  await other.context.close();
}

// locks the space with a second factor and comes in again with it.
async function locks(v) {
  const { page } = v;
  await page.goto(cast.base + "/settings/code");
  await page.fill('[name="password"]', v.person.web_password);
  await press(page, page.getByRole("button", { name: "Demander un code" }));
  const secret = await page.locator(".secret").innerText();
  await page.fill('[name="code"]', totp(secret, 5000)); // of another day
  await press(page, page.getByRole("button", { name: "Demander ce code désormais" }));
  await says(v, page, /Ce code ne va pas, ou il a déjà servi\. Attendez le suivant/, "a wrong code at the enrolment");
  await page.fill('[name="code"]', totp(secret));
  await press(page, page.getByRole("button", { name: "Demander ce code désormais" }));
  await says(v, page, /Vos codes de secours/, "after the enrolment");
  must((await page.locator("li.secret").count()) >= 8, v.name, "too few recovery codes");
  await page.goto(cast.base + "/settings");
  await press(page, page.locator("main").getByRole("button", { name: "Se déconnecter" }));
  must(await page.locator('[name="web_login"]').count(), v.name, `after the sign-out at ${page.url()}`);
  await signIn(page, v.person, totp(secret, 5000));
  await says(v, page, /Ce code ne va pas, ou il a déjà servi\. Attendez le code suivant/, "a wrong code at the sign-in");
  await shot(page, `journey-code-wrong-${v.name}`);
  await page.fill('[name="code"]', totp(secret, 1)); // the one of the enrolment was used
  await press(page, 'main [type="submit"]');
  must(await page.locator("nav.nav").count(), v.name, "the right code did not let in");
}

// translates the space into English and looks for French that stayed.
async function translates(v) {
  const { page } = v;
  await page.goto(cast.base + "/settings");
  await page.check('[name="language"][value="en"]');
  await press(page, page.getByRole("button", { name: "Changer de langue" }));
  const event = (await facts(v.context, "/agenda")).events[0];
  const documents = (await facts(v.context, "/documents?category=all")).documents;
  const letters = (await facts(v.context, "/messages")).messages;
  const french = new Set(cast.french.map(plain));
  const date = /\b\d{1,2}(er)? (janv|févr|mars|avr|mai|juin|juil|août|sept|oct|nov|déc)/;
  for (const href of [
    "/", "/messages", "/messages?folder=sent", "/messages?folder=trash", ...letters.map((l) => "/messages/" + l.id), new URL(v.letter).pathname + "/reply",
    "/outcome", "/documents", "/documents?category=all", ...documents.map((d) => "/documents/" + d.id), "/agenda", "/agenda?view=week", "/agenda?view=month",
    "/agenda/" + event.id, "/history", "/more", "/help", "/accessibility", "/privacy", "/settings", "/settings/password", "/settings/code", "/no-such-page",
  ]) {
    await page.goto(cast.base + href);
    const found = await page.evaluate(() => {
      const all = [];
      const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walk.nextNode()) {
        const own = !walk.currentNode.parentElement.closest(".letter-body, .leaf section, .mail-subject, .mail-preview, [lang=fr], script");
        if (own) all.push(walk.currentNode.data);
      }
      for (const e of document.querySelectorAll("[aria-label], [title], [alt], [placeholder]")) {
        all.push(...["aria-label", "title", "alt", "placeholder"].map((name) => e.getAttribute(name) ?? ""));
      }
      return { all: [document.title.split(" · ")[0], ...all], lang: document.documentElement.lang };
    });
    must(found.lang === "en", v.name, `${href} is in ${found.lang}`);
    const left = found.all.map(plain).filter((s) => french.has(s) || (date.test(s) && !/ : rendez-vous du /.test(s)));
    must(!left.length, v.name, `${href} in English says ${JSON.stringify(left)}`);
  }
  await shot(page, `journey-english-${v.name}`);
  await page.goto(cast.base + "/settings");
  await page.check('[name="language"][value="fr"]');
  await press(page, 'form[action="/language"] [type="submit"]');
}

const plain = (s) => s.replace(/[\s ]+/g, " ").trim();

// types: the skip link first, then every control in turn, each seen when it has the
// focus (WCAG 2.4.7) and not behind the bar at the foot (2.4.11); the main action of a
// page is reached and done with Enter.
async function types(v) {
  const { page } = v;
  await page.goto(cast.base + "/");
  await page.keyboard.press("Tab");
  const first = await focused(page);
  must(first.skip && first.seen, v.name, `the first stop is ${first.name}, ${first.why || "seen"}`);
  await page.keyboard.press("Enter");
  must(await page.evaluate(() => location.hash === "#content"), v.name, "the skip link leads nowhere");
  await page.keyboard.press("Tab");
  must((await focused(page)).inside, v.name, "after the skip link the focus is not in the content");
  await reach(v, (f) => /Lettre de sortie|Nouvelle du jour|Radiographie/.test(f.name) && f.inside, "a letter on the home page");
  await enter(page);
  await reach(v, (f) => f.name.includes("Répondre"), "the answer");
  await enter(page);
  await reach(v, (f) => f.tag === "TEXTAREA", "the text of the answer");
  await page.keyboard.type("Merci.");
  await reach(v, (f) => f.name.includes("Envoyer"), "the button that sends");
  await page.goto(cast.base + "/settings");
  await reach(v, (f) => f.name.includes("Code après le mot de passe"), "the second factor");
}

async function enter(page) {
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
}

// reach tabs to a control; each stop on the way has to be seen.
async function reach(v, wanted, what) {
  for (let i = 0; i < 60; i++) {
    await v.page.keyboard.press("Tab");
    const f = await focused(v.page);
    if (f.frame) continue;
    if (f.tag !== "BODY") must(f.seen, v.name, `the focus on ${f.name || f.tag} at ${new URL(v.page.url()).pathname} is not seen: ${f.why}`);
    if (wanted(f)) return;
  }
  fail(v.name, `60 stops with the keyboard do not reach ${what}`);
}

// focused describes the control that has the focus.
function focused(page) {
  return page.evaluate(() => {
    const e = document.activeElement ?? document.body;
    const box = e.getBoundingClientRect();
    const ring = (x) => {
      const s = getComputedStyle(x);
      return (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2) || (s.boxShadow !== "none" && x === e);
    };
    let why = "";
    // A row's link covers its row, which has the ring.
    const shown = [e, e.closest(".row, .event, .choice, .tile"), e.parentElement].filter(Boolean);
    if (!shown.some((x) => ring(x) || ring2(x, "::after") || ring2(x, "::before"))) why = "no ring";
    function ring2(x, part) {
      const s = getComputedStyle(x, part);
      return s.content !== "none" && s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2;
    }
    const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
    const y = box.top + Math.min(box.height / 2, 20);
    if (y < 0 || y >= innerHeight) why = `it is at ${Math.round(y)} of ${innerHeight} px`;
    else {
      const top = document.elementFromPoint(x, y);
      if (top && top !== e && !e.contains(top) && !top.contains(e) && !top.closest("label")) why = `behind ${top.tagName}.${top.className}`;
    }
    return {
      tag: e.tagName, name: (e.getAttribute("aria-label") ?? e.textContent ?? "").trim().slice(0, 60), skip: e.classList.contains("skip"),
      inside: Boolean(e.closest("main")), seen: !why, why, frame: e.tagName === "IFRAME",
    };
  });
}

// prints: paper has the letter and its head, and nothing to press.
async function prints(v) {
  const { page } = v;
  for (const href of [v.letter, cast.base + "/agenda", cast.base + "/history"]) {
    await page.goto(href);
    await page.emulateMedia({ media: "print" });
    for (const chrome of [".bar", ".nav", ".foot", ".skip", "main .btn"]) {
      for (const e of await page.locator(chrome).all()) must(!(await e.isVisible()), v.name, `${chrome} is printed on ${new URL(href).pathname}`);
    }
    must(await page.locator("h1").isVisible(), v.name, "no title on paper");
    if (href === v.letter) {
      must(await page.locator(".print-head").isVisible(), v.name, "no head on paper");
      must(await page.locator(".leaf table").isVisible(), v.name, "the report is not printed");
    }
    await shot(page, `print-${new URL(href).pathname.split("/")[1]}-${v.name}`);
    await page.emulateMedia({ media: "screen" });
  }
}

// resists a letter that would run, fetch, dress up. What it does try is failed by the
// visitor: a script that is stopped is an error in the console, one that runs calls MARK,
// which nobody has; a request goes to another origin.
async function resists(v, browser) {
  const { page } = v;
  await page.goto(cast.base + "/messages");
  await press(page, page.getByRole("link", { name: "Résultats avec mise en page" }));
  const frame = page.locator("iframe.frame");
  await frame.scrollIntoViewIfNeeded();
  must(!/allow-(scripts|same-origin|forms|top-navigation)/.test(await frame.getAttribute("sandbox")), v.name, "the frame may do too much");
  const alone = await unframed(browser, v.context, new URL(await frame.getAttribute("src"), page.url()).pathname);
  must(/4,2 mmol\/l/.test(await alone.page.innerText("body")), v.name, "the framed letter has lost its words");
  for (const bad of ["script", "style ~ style", "form", "input", "iframe", "object", "svg", "math", "link", "meta[http-equiv]", "base", "video", "[style]", "[onerror]", "[onload]", 'a[href^="javascript"]', 'a[href^="data"]', '[src^="http"]']) {
    must(!(await alone.page.locator(bad).count()), v.name, `the framed letter has ${bad}`);
  }
  await alone.context.close();
  await page.waitForTimeout(300);
  must(new URL(page.url()).origin === new URL(cast.base).origin, v.name, `the letter led to ${page.url()}`);
  await shot(page, `journey-frame-${v.name}`);
}

const browser = await launch();
await Promise.all(Object.keys(cast.patients).filter((n) => /-(js|plain)$/.test(n)).map(async (name) => {
  const [screen, script] = name.split("-");
  const phone = screen === "phone" ? { isMobile: true, hasTouch: true } : {};
  const options = { viewport: screens[screen], javaScriptEnabled: script === "js", ...phone };
  const v = { ...(await visitor(browser, name, options)), options, person: cast.patients[name], js: script === "js", took: [] };
  await step(v, "sign in and read", () => arrives(v));
  await step(v, "documents", () => reads(v));
  await step(v, "reply", () => replies(v));
  await step(v, "invitation", () => accepts(v));
  await step(v, "no reply", () => cannot(v));
  await step(v, "frame", () => resists(v, browser));
  await step(v, "history", () => sees(v));
  await step(v, "new letter", () => hears(v));
  await step(v, "keyboard", () => types(v));
  await step(v, "print", () => prints(v));
  if (v.js === (screen === "phone")) await step(v, "english", () => translates(v)); // 30 pages: with and without once
  await step(v, "devices", () => ends(v, browser));
  await step(v, "second factor", () => locks(v));
  await v.context.close();
  console.log(`${name}, ms: ${v.took.join(", ")}`);
}));
await end(browser);

// Vaguemestre: the one script. It saves a page load when something new comes in, and
// nothing else: every page is whole without it.
//
// /live says that the inbox, the documents or the agenda changed. The same page is
// fetched again, and the parts that carry data-live are put in place of the old ones
// of the same id. Focus, scroll and what was typed stay. The status line says it. A page
// that nobody sees waits until somebody does: it keeps no session open.

const again = { first: 1000, most: 60000 };
let wait = again.first;
let busy = false;
let missed = false;
let unseen = null;

function listen() {
  const stream = new EventSource("/live");
  stream.addEventListener("open", () => { wait = again.first; });
  stream.addEventListener("change", (event) => refresh(event.data));
  stream.addEventListener("over", () => stream.close()); // the session ended: the next click says so
  stream.addEventListener("error", () => {
    if (stream.readyState !== EventSource.CLOSED) return; // it tries again by itself
    setTimeout(listen, wait + Math.random() * wait);
    wait = Math.min(wait * 2, again.most);
  });
  addEventListener("pagehide", () => stream.close());
}

async function refresh(words) {
  if (busy) { missed = true; return; }
  if (document.visibilityState !== "visible") { unseen = words; return; }
  // A page without such parts, a letter for instance, is not opened again: the count
  // in the navigation is on every page.
  const own = document.querySelector("main [data-live]");
  await swap(words, own ? location.pathname + location.search : "/more");
}

async function swap(words, where) {
  busy = true;
  try {
    const answer = await fetch(where, { headers: { "Accept": "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    let changed = false;
    for (const old of document.querySelectorAll("[data-live]")) {
      const next = fresh.getElementById(old.id);
      if (!next || next.isEqualNode(old)) continue;
      const held = old.contains(document.activeElement) ? document.activeElement : null;
      const kept = document.importNode(next, true);
      old.replaceWith(kept);
      changed = true;
      if (held) refocus(kept, held);
    }
    const count = /^\(\d+\) /;
    document.title = (fresh.title.match(count)?.[0] ?? "") + document.title.replace(count, "");
    if (changed) say(words);
  } catch {
    // no network: the next change, or the next click, brings it
  } finally {
    busy = false;
    if (missed) { missed = false; refresh(words); }
  }
}

// refocus finds the element that had the focus: by its id, else by where it leads.
function refocus(root, held) {
  const twin = (held.id && root.querySelector("#" + CSS.escape(held.id))) ||
    [...root.querySelectorAll("a[href]")].find((a) => a.getAttribute("href") === held.getAttribute("href"));
  twin?.focus({ preventScroll: true });
}

function say(words) {
  const status = document.getElementById("status");
  if (!status || !words) return;
  const line = document.createElement("p");
  line.className = "toast";
  line.textContent = words;
  status.replaceChildren(line);
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible" || unseen === null) return;
  const words = unseen;
  unseen = null;
  refresh(words);
});

if (window.EventSource) listen();

// Parts of the page: fetched, and put in the place of the old ones node by node, so that focus, scrolling and what is being
// typed stay.
import { set, tick } from "./times.js";

let newest = 0; // position of the newest answer that was shown
let turn = 0; // of what people do: an answer about an earlier turn is dropped

export function position() {
  return Math.max(newest, Number(document.querySelector("#facts")?.dataset.position ?? 0));
}

// show asks for parts of a page, by GET, or by POST with a form, and shows them. What people do comes before what is quiet,
// and the last thing they did before the earlier ones. It gives {ok, location, shown}, or null when there was no answer or
// it was dropped.
export async function show(href, parts, { after = 0, form = null, quiet = false } = {}) {
  const mine = quiet ? turn : ++turn;
  const headers = { "Turno-Parts": parts.join(","), "X-CSRF-Token": document.querySelector("meta[name=csrf]").content };
  if (after) headers["Turno-Position"] = String(after);
  let response, text;
  try {
    response = await fetch(href, { method: form ? "POST" : "GET", headers, body: form, redirect: "error", credentials: "same-origin" });
    text = await response.text();
  } catch {
    return null;
  }
  if (response.status === 401 || response.status === 403 && !text) {
    location.reload(); // the session ended, or began anew in another window
    return null;
  }
  const shown = mine === turn;
  if (!shown && !form) return null;
  if (!text.includes('id="facts"')) {
    if (!form && !quiet && response.status < 500) location.assign(href); // it is a page of its own
    return null;
  }
  if (shown) {
    apply(text, quiet);
    if (!quiet) turn++; // what was asked quietly meanwhile is about the place before
  }
  return { ok: response.ok, location: response.headers.get("Turno-Location"), shown };
}

// apply puts what an answer holds in the place of what is there.
function apply(text, quiet) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const facts = fresh.querySelector("#facts");
  set(facts);
  tick(fresh);
  const waiting = Number(document.querySelector("#facts")?.dataset.waiting ?? 0);
  newest = Math.max(newest, Number(facts.dataset.position));
  if (fresh.querySelector("#pane") || !document.querySelector("#pane[data-open]")) document.title = facts.dataset.title;
  else document.title = document.title.replace(/^(\(\d+\) )?/, facts.dataset.waiting === "0" ? "" : `(${facts.dataset.waiting}) `);
  if (quiet) keepRefusal(fresh);
  const held = document.activeElement?.closest("#rail, #list, #pane");
  const mode = checked()?.value;
  for (const part of [facts, ...fresh.querySelectorAll("#rail, #list, #pane")]) {
    const old = document.getElementById(part.id);
    if (part.id === "pane" && old.dataset.open !== part.dataset.open) old.replaceWith(part);
    else {
      morph(old, part);
      if (part.id === "pane") keepMode(mode);
    }
  }
  if (held && document.activeElement === document.body) foothold(held.id);
  if (Number(facts.dataset.waiting) > waiting) {
    const announcer = document.querySelector("#announcer");
    announcer.textContent = announcer.dataset.waiting.replace("{count}", facts.dataset.waiting);
  }
}

// keepRefusal leaves what was refused on the page until the next thing that people do.
function keepRefusal(fresh) {
  const said = document.querySelector("#pane [data-refusal]");
  const pane = fresh.querySelector("#pane[data-open]");
  if (said && pane && pane.dataset.open === said.closest("#pane").dataset.open) pane.querySelector(".bars").append(said.cloneNode(true));
}

const checked = () => document.querySelector("form[data-compose] input[name=as]:checked");

// keepMode leaves a note a note when there is more to choose from now; where its choice is gone, the other one is made.
function keepMode(mode) {
  const same = mode && document.querySelector(`form[data-compose] input[name=as][value=${mode}]`);
  if (same) same.checked = true;
  const first = document.querySelector("form[data-compose] input[name=as]");
  if (first && !checked()) first.checked = true;
}

// foothold gives the focus that something had which is gone to the part of the page it was in.
function foothold(part) {
  for (const id of [part, "pane", "list"]) {
    document.getElementById(id).focus({ preventScroll: true });
    if (document.activeElement !== document.body) return;
  }
}

// morph makes old like fresh. Children with a data-key, or an id, are the same when it is, wherever they are; a form that is being
// filled in, with data-keep, and an open sheet stay as they are. What is no longer there goes first: nothing that stays is
// moved, or made anew, because of it.
function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.dataset?.keep !== undefined && old.dataset.keep === fresh.dataset?.keep || old.matches?.(":popover-open")) return;
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const stay = new Set([...fresh.children].map(nameOf));
  const keyed = new Map();
  for (const child of [...old.children]) {
    if (!nameOf(child)) continue;
    if (stay.has(nameOf(child))) keyed.set(nameOf(child), child);
    else child.remove();
  }
  let at = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const key = nameOf(next);
    const same = key ? keyed.get(key) : alike(at, next) ? at : null;
    if (!same) {
      old.insertBefore(next, at);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else old.insertBefore(same, at);
    if (same.nodeType === Node.ELEMENT_NODE) morph(same, next);
    else if (same.data !== next.data) same.data = next.data;
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

// nameOf is what a child is known by, if anything.
function nameOf(child) { return child.dataset?.key || child.id; }

// alike reports whether one may become the other: the same sort of node, of the same form, and of no name.
function alike(a, b) {
  if (!a || a.nodeType !== b.nodeType || a.nodeName !== b.nodeName) return false;
  if (a.nodeType !== Node.ELEMENT_NODE) return true;
  return !nameOf(a) && a.getAttribute("action") === b.getAttribute("action");
}

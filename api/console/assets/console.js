// The console's script: links and forms fetch the parts of the page that change, instead of the page. Without it they work
// all the same.
import { listen } from "./live.js";
import { compose, restore, sent } from "./compose.js";
import { over } from "./notices.js";
import { show } from "./parts.js";
import { count, set, tick } from "./times.js";

const desk = document.querySelector("[data-live]");

set(document.querySelector("#facts"));
tick(document);
setInterval(() => tick(document), 15_000);
setInterval(() => count(document), 1000);
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-sign-out]")) sessionStorage.clear(); // what was being written
});

if (desk) {
  restore();
  bottom();
  read();
  listen(desk, refresh);

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-nav]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(link.href, true);
  });
  window.addEventListener("popstate", () => go(location.href, false));
  document.addEventListener("submit", act);
  document.addEventListener("change", narrow);
  document.addEventListener("visibilitychange", read);
  compose();
}

// go shows another place of the console.
async function go(href, push) {
  const was = open();
  const answer = await show(href, ["rail", "list", "pane"]);
  if (!answer) return;
  if (push) history.pushState(null, "", href);
  settle(was);
}

// settle is what follows a change of place: the newest message in view, what was being written there, and the focus.
function settle(was) {
  restore();
  read();
  over(open());
  if (open() === was) return;
  bottom();
  if (open()) (document.querySelector("#text") ?? document.querySelector("#pane")).focus({ preventScroll: true });
}

// refresh fetches what a push changed: always the counts and the list, the conversation only when it is the one.
async function refresh(conversations, position) {
  const mine = open() && (!conversations || conversations.has(open()));
  const thread = document.querySelector(".thread");
  const low = thread && thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80;
  const answer = await show(location.href, mine ? ["rail", "list", "pane"] : ["rail", "list"], { after: position, quiet: true });
  if (!answer) return false;
  if (mine) {
    restore();
    read();
    if (low) bottom();
  }
  return true;
}

// act sends a form. What was refused is shown; what could not be sent keeps its text and says so.
async function act(event) {
  const form = event.target;
  if (!form.matches("form[data-act]")) return;
  event.preventDefault();
  if (form.dataset.busy) return;
  const button = event.submitter ?? form.querySelector("button:not([type=button])");
  const was = open();
  form.dataset.busy = "1";
  button?.setAttribute("aria-busy", "true");
  try {
    const answer = await show(form.action, ["rail", "list", "pane"], { form: new URLSearchParams(new FormData(form)) });
    behind(!answer);
    if (!answer) return;
    form.closest("[popover]")?.hidePopover?.();
    if (!answer.ok) return;
    if (form.matches("[data-compose]")) sent(form);
    if (form.matches("[data-empties]")) form.reset();
    if (!answer.shown) return; // the visitor is elsewhere by now
    if (answer.location) history.pushState(null, "", answer.location);
    settle(was);
    if (form.matches("[data-compose]")) bottom();
  } finally {
    delete form.dataset.busy;
    button?.removeAttribute("aria-busy");
  }
}

function behind(yes) {
  const banner = document.querySelector("#banner");
  if (!yes && banner.dataset.why !== "behind") return;
  banner.dataset.why = yes ? "behind" : "";
  banner.querySelector("span").textContent = banner.dataset.behind;
  banner.hidden = !yes;
}

// read moves the unread mark of the visitor's own conversation, once it is really looked at.
async function read() {
  const pane = document.querySelector("#pane[data-open]");
  if (!pane || pane.dataset.unread === "0" || document.visibilityState !== "visible") return;
  pane.dataset.unread = "0";
  const list = new URLSearchParams(location.search).get("list") ?? "";
  await show(pane.dataset.read, ["rail", "list"], { form: new URLSearchParams({ list }), quiet: true });
}

// narrow leaves only the operators of the chosen department to choose from.
function narrow(event) {
  const target = event.target.dataset?.narrows && document.getElementById(event.target.dataset.narrows);
  if (!target) return;
  for (const option of target.options) {
    option.hidden = option.disabled = Boolean(event.target.value && option.dataset.in && !option.dataset.in.split(" ").includes(event.target.value));
  }
  if (target.selectedOptions[0]?.disabled) target.value = "";
}

function open() { return document.querySelector("#pane")?.dataset.open ?? ""; }

function bottom() {
  const thread = document.querySelector(".thread");
  if (thread) thread.scrollTop = thread.scrollHeight;
}

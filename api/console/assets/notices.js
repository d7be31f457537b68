// Notices: what a push says that this person should notice is shown over the page for a while, wherever they are on it. What
// they miss is in the lists all the same; what they look at needs no notice of a message.
const stays = () => Number(area().dataset.stays); // ms
const most = 4; // at once

const area = () => document.querySelector("#notices");
const timers = new Map(); // of the notices that are shown

// notify shows what pushes told to notice: kinds by conversation.
export async function notify(told) {
  const ids = {};
  for (const [id, kind] of told) {
    if (!looked(id, kind)) (ids[kind] ??= []).push(id);
  }
  if (!Object.keys(ids).length) return;
  const asked = new URLSearchParams(Object.entries(ids).map(([kind, list]) => [kind, list.join(",")]));
  let text;
  try {
    const answer = await fetch(`${document.querySelector("[data-notices]").dataset.notices}?${asked}`, {
      headers: { "Turno-Parts": "notices" }, credentials: "same-origin", redirect: "error",
    });
    if (!answer.ok) return;
    text = await answer.text();
  } catch {
    return; // cut off: the page says so by itself
  }
  for (const fresh of new DOMParser().parseFromString(text, "text/html").querySelectorAll(".notice")) {
    if (!looked(fresh.dataset.key, fresh.dataset.kind)) add(fresh);
  }
}

// looked reports whether what came is before somebody's eyes already.
function looked(id, kind) {
  return (kind === "message" || kind === "assigned") && document.visibilityState === "visible" && document.querySelector("#pane")?.dataset.open === id;
}

// over takes a conversation's notice away; of a kind alone, when one is named.
export function over(conversation, kind = "") {
  const old = find(conversation);
  if (!old || kind && old.dataset.kind !== kind) return;
  clearTimeout(timers.get(conversation));
  timers.delete(conversation);
  if (old.contains(document.activeElement)) document.querySelector("#pane")?.focus({ preventScroll: true });
  old.remove();
}

function find(conversation) { return [...area().children].find((n) => n.dataset.key === conversation); }

function add(fresh) {
  const id = fresh.dataset.key;
  over(id);
  if (fresh.dataset.kind === "offered" && document.querySelector(".asked")?.offsetParent) { // it stands there, to be answered
    document.querySelector("#announcer").textContent = fresh.querySelector("a").textContent;
    return;
  }
  area().append(fresh);
  for (const old of [...area().children].slice(0, -most)) over(old.dataset.key);
  const leave = () => {
    clearTimeout(timers.get(id));
    timers.set(id, setTimeout(() => over(id), stays()));
  };
  fresh.querySelector("[data-shut]").addEventListener("click", () => over(id));
  fresh.querySelector("a").addEventListener("click", () => over(id));
  for (const stay of ["pointerenter", "focusin"]) fresh.addEventListener(stay, () => clearTimeout(timers.get(id)));
  for (const go of ["pointerleave", "focusout"]) fresh.addEventListener(go, leave);
  leave();
}

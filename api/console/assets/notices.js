// Notices: what a push says that this person should notice is shown over the page for a while, wherever they are on it. What
// they miss is in the lists all the same; what they look at needs no notice of a message. Whether something still stands the
// server says: it is asked again whenever a conversation changes that has a notice, or is just being asked about.
const kinds = ["offered", "alerted", "assigned", "message"]; // the most pressing first
const stays = () => Number(area().dataset.stays); // ms
const most = 4; // at once
const mostAsked = 20; // conversations; the server answers no more at once

const area = () => document.querySelector("#notices");
const timers = new Map(); // of the notices that are shown

// What is to be asked next, and what is being asked: conversations, the newest last, each with the kinds that may stand and
// whether a push told of one since the last answer.
let next = new Map(), asked = new Map(), turn = Promise.resolve();

// tell keeps what a push said of a conversation, until notify.
export function tell(conversation, change, kind) {
  const before = next.get(conversation) ?? asked.get(conversation);
  next.delete(conversation);
  asked.delete(conversation); // its answer would be of before this push
  if (change === "gone") return over(conversation);
  const may = new Set(before?.kinds);
  const shown = find(conversation)?.dataset.kind;
  for (const k of [shown, kind]) if (k) may.add(k);
  if (may.size) next.set(conversation, { kinds: may, told: Boolean(kind || before?.told) });
}

// notify shows what was told and still stands, and takes away what doesn't.
export function notify() { turn = turn.then(ask); }

async function ask() {
  const pressing = ({ kinds: may }) => kinds.findIndex((kind) => may.has(kind));
  asked = new Map([...next].reverse().filter(([id, about]) => find(id) || [...about.kinds].some((kind) => !looked(id, kind)))
    .sort(([, a], [, b]) => pressing(a) - pressing(b)).slice(0, mostAsked));
  next = new Map();
  if (!asked.size) return;
  const query = new URLSearchParams();
  for (const kind of kinds) {
    const ids = [...asked].filter(([, about]) => about.kinds.has(kind)).map(([id]) => id);
    if (ids.length) query.set(kind, ids.join(","));
  }
  let text;
  try {
    const answer = await fetch(`${document.querySelector("[data-notices]").dataset.notices}?${query}`, {
      headers: { "Turno-Parts": "notices" }, credentials: "same-origin", redirect: "error",
    });
    if (answer.ok) text = await answer.text();
  } catch {
    // cut off: the page says so by itself
  }
  const answered = asked;
  asked = new Map();
  if (text === undefined) return;
  const standing = new Map();
  for (const fresh of new DOMParser().parseFromString(text, "text/html").querySelectorAll(".notice")) standing.set(fresh.dataset.key, fresh);
  for (const [id, { told }] of [...answered].reverse()) {
    const fresh = standing.get(id);
    if (!fresh) over(id);
    else if (told && !looked(id, fresh.dataset.kind)) add(fresh);
  }
}

// looked reports whether what came is before somebody's eyes already.
function looked(id, kind) {
  return (kind === "message" || kind === "assigned") && document.visibilityState === "visible" && document.querySelector("#pane")?.dataset.open === id;
}

// over takes a conversation's notice away.
export function over(conversation) {
  const old = find(conversation);
  if (!old) return;
  clearTimeout(timers.get(conversation));
  timers.delete(conversation);
  if (old.contains(document.activeElement)) document.querySelector("#pane")?.focus({ preventScroll: true });
  old.remove();
}

function find(conversation) { return [...area().children].find((n) => n.dataset.key === conversation); }

// add shows a notice in the place of the conversation's last. Where there are too many, the least pressing goes, the oldest of
// these first.
function add(fresh) {
  const id = fresh.dataset.key;
  over(id);
  if (fresh.dataset.kind === "offered" && document.querySelector(".asked")?.offsetParent) { // it stands there, to be answered
    document.querySelector("#announcer").textContent = fresh.querySelector("a").textContent;
    return;
  }
  const rank = (notice) => kinds.indexOf(notice.dataset.kind);
  const all = [...area().children, fresh];
  if (all.length > most) {
    const least = all.reduce((a, b) => (rank(b) > rank(a) ? b : a));
    if (least === fresh) return;
    over(least.dataset.key);
  }
  area().append(fresh);
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

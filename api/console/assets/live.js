// The push stream: it says what changed, and the page fetches that. Cut off, it goes on from the last position that was
// seen, so nothing is lost or doubled.
import { notify, tell } from "./notices.js";
import { position } from "./parts.js";

const soon = 120; // ms in which pushes are gathered
const every = 20_000; // ms between two signs of life

export function listen(desk, refresh) {
  const banner = document.querySelector("#banner");
  let source, last = position(), changed = new Set(), all = false, timer = 0, busy = false, cut = 0, pause = 500;

  function connect() {
    source?.close();
    source = new EventSource(`${desk.dataset.stream}?after=${last}`);
    source.onopen = () => {
      pause = 500;
      whole();
    };
    source.onerror = () => {
      broken();
      if (source.readyState === EventSource.CLOSED) again();
    };
    source.addEventListener("conversation", (event) => {
      last = Math.max(last, Number(event.lastEventId));
      const { conversation, change, notice } = JSON.parse(event.data);
      changed.add(conversation);
      tell(conversation, change, notice);
      gather();
    });
    source.addEventListener("rights", (event) => {
      last = Math.max(last, Number(event.lastEventId));
      all = true;
      gather();
    });
    source.addEventListener("end", (event) => {
      if (JSON.parse(event.data).reason === "unauthorized") location.reload();
    });
  }

  // again tries anew after the browser gave up; a page that was signed out meanwhile goes to the sign-in.
  function again() {
    setTimeout(async () => {
      await alive();
      if (source.readyState === EventSource.CLOSED) connect();
    }, pause);
    pause = Math.min(pause * 2, 10_000);
  }

  function gather() {
    if (!timer && !busy) timer = setTimeout(flush, soon);
  }

  // flush fetches once for all pushes that came meanwhile.
  async function flush() {
    timer = 0;
    busy = true;
    const now = all ? null : changed;
    const was = all;
    all = false;
    changed = new Set();
    const done = await refresh(now, last);
    busy = false;
    notify();
    if (!done) {
      if (was) all = true;
      for (const id of now ?? []) changed.add(id);
      setTimeout(gather, 500);
    } else if (all || changed.size) gather();
  }

  // broken tells people, once it has lasted a moment.
  function broken() {
    if (cut) return;
    cut = setTimeout(() => {
      banner.dataset.why = "cut";
      banner.querySelector("span").textContent = banner.dataset.cut;
      banner.hidden = false;
    }, 1000);
  }

  function whole() {
    clearTimeout(cut);
    cut = 0;
    if (banner.dataset.why === "cut") banner.hidden = true;
  }

  // alive says that this console is there, and notices when nobody hears it.
  async function alive() {
    try {
      const answer = await fetch(desk.dataset.presence, {
        method: "POST", headers: { "X-CSRF-Token": document.querySelector("meta[name=csrf]").content }, credentials: "same-origin",
      });
      if (answer.status === 401 || answer.status === 403) location.reload();
      return answer.ok;
    } catch {
      broken();
      return false;
    }
  }

  connect();
  alive();
  setInterval(async () => {
    if (!(await alive())) return;
    if (source.readyState === EventSource.OPEN) whole();
  }, every);
  window.addEventListener("offline", broken);
  window.addEventListener("online", connect);
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => event.persisted && connect());
}

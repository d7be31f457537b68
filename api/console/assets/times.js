// Times as people read them, in their own zone and language; exact when pointed at.

let ahead = 0; // ms, of the server's clock before the reader's

// set takes the server's time from an answer: what is left and how long ago are by its clock.
export function set(facts) {
  if (facts?.dataset.now) ahead = new Date(facts.dataset.now) - Date.now();
}

const clockNow = () => Date.now() + ahead;

export function tick(root) {
  const language = document.documentElement.lang;
  const now = clockNow();
  const exact = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "medium" });
  const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: language === "en" });
  count(root);
  const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
  for (const time of root.querySelectorAll("time[data-as]")) {
    const at = new Date(time.dateTime);
    if (time.dataset.as === "left") {
      time.title = exact.format(at);
      continue;
    }
    const today = at.toDateString() === new Date(now).toDateString();
    const text = time.dataset.as === "ago" ? ago(at, now, day) : today ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`;
    if (time.textContent !== text) time.textContent = text;
    const title = exact.format(at);
    if (time.title !== title) time.title = title;
  }
}

// count shows how much time is left, in minutes and seconds; in hours from one on.
export function count(root) {
  for (const time of root.querySelectorAll("time[data-as=left]")) {
    const s = Math.max(0, Math.ceil((new Date(time.dateTime) - clockNow()) / 1000));
    const two = (n) => String(n).padStart(2, "0");
    const text = s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
    if (time.textContent !== text) time.textContent = text;
  }
}

// ago is how long ago in one unit; a day and more is a date.
function ago(at, now, day) {
  const minutes = Math.max(0, Math.floor((now - at) / 60_000));
  if (minutes < 1) return new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" }).format(0, "second");
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h`;
  return day.format(at);
}

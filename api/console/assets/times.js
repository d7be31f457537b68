// Times as people read them, in their own zone and language; exact when pointed at.

export function tick(root) {
  const language = document.documentElement.lang;
  const now = Date.now();
  const exact = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "medium" });
  const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: language === "en" });
  const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
  for (const time of root.querySelectorAll("time[data-as]")) {
    const at = new Date(time.dateTime);
    const today = at.toDateString() === new Date(now).toDateString();
    const text = time.dataset.as === "ago" ? ago(at, now, day) : today ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`;
    if (time.textContent !== text) time.textContent = text;
    const title = exact.format(at);
    if (time.title !== title) time.title = title;
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

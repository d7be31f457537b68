// The composer: Enter sends, Shift+Enter makes another line. What is being written survives a reload and a look at another
// conversation; it is kept in the browser's session and goes when it is sent.

const form = () => document.querySelector("form[data-compose]");
const drawer = (f) => `turno-draft-${f.dataset.compose}`;

export function compose() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.target.id !== "text") return;
    event.preventDefault();
    if (event.target.value.trim()) event.target.form.requestSubmit();
  });
  document.addEventListener("input", (event) => {
    if (event.target.form === form()) keep();
  });
}

// sent empties the form that was sent.
export function sent(f) {
  sessionStorage.removeItem(drawer(f));
  f.elements.text.value = "";
  f.elements.key.value = fresh();
  const reply = f.querySelector("input[value=reply]");
  if (reply) reply.checked = true;
  label(f);
}

// restore brings back what was being written in the conversation that is open.
export function restore() {
  const f = form();
  if (!f) return;
  const kept = sessionStorage.getItem(drawer(f));
  if (kept && !f.elements.text.value) {
    const { text, as, key } = JSON.parse(kept);
    f.elements.text.value = text;
    f.elements.key.value = key;
    const mode = f.querySelector(`input[name=as][value=${as === "note" ? "note" : "reply"}]`);
    if (mode) mode.checked = true;
  }
  label(f);
}

function keep() {
  const f = form();
  label(f);
  const { text, as, key } = Object.fromEntries(new FormData(f));
  if (text) sessionStorage.setItem(drawer(f), JSON.stringify({ text, as, key }));
  else sessionStorage.removeItem(drawer(f));
}

// label says in the field itself whom one is writing to.
function label(f) {
  const text = f.elements.text;
  text.placeholder = f.querySelector("input[value=note]")?.checked ? text.dataset.note : text.dataset.reply;
}

// fresh is the key of the next message: sent twice under the same one, it stands once.
function fresh() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

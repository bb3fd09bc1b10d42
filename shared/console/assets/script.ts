/**
 * All the script there is; pages work without it, but for the token in the address of a sign-in. What it shows, it sets as text.
 */
export const SCRIPT = String.raw`"use strict";

// A sign-in's token comes in the fragment, which no server and no referrer sees, and goes out of the address bar at once.
function signIn() {
  const form = document.querySelector("form[data-sign-in]");
  const token = location.hash.slice(1);
  if (!form || !token) return;
  history.replaceState(null, "", location.pathname);
  form.elements.token.value = token;
  form.requestSubmit();
}
signIn();
addEventListener("hashchange", signIn);

// Times in the zone and the language of whoever reads them; a zone that is not named would be guessed.
const minutes = { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
const shown = new Intl.DateTimeFormat(undefined, minutes);
const exactly = new Intl.DateTimeFormat(undefined, { ...minutes, second: "2-digit" });
function localize(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = time.textContent;
    time.textContent = ("exact" in time.dataset ? exactly : shown).format(new Date(time.dateTime));
  }
}
localize(document);

// A form is sent once, however often its button is pressed.
addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// What is under way is asked for again until it is over, which shows the page anew.
const underWay = document.querySelector("[data-refresh]");
function refresh() {
  const request = new XMLHttpRequest();
  request.responseType = "document";
  request.open("GET", location.href);
  request.onloadend = () => {
    const isThere = request.status > 0 && request.status < 500;
    const now = request.response && request.response.querySelector("[data-refresh]");
    if (isThere && !now) return location.reload();
    if (isThere) {
      localize(now);
      underWay.replaceChildren(...now.childNodes);
    }
    setTimeout(refresh, 2000);
  };
  request.send();
}
if (underWay) setTimeout(refresh, 2000);

// What is to be copied is text already; without the script, it is marked by hand.
for (const button of document.querySelectorAll("button[data-copies]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
    button.textContent = "Copied";
  });
}

// Permissions that are edited: sudo/admin comes with SSH/RDP, what is changed is seen and counted, and is not left by mistake.
const edit = document.querySelector("form[data-edit]");
if (edit) {
  const control = (id, member) => edit.elements.namedItem(id + "." + member);
  const see = () => {
    let changed = 0;
    for (const was of edit.querySelectorAll("input[data-was]")) {
      const [level, ssh, sudo] = ["level", "ssh", "sudo"].map((member) => control(was.dataset.was, member));
      if (sudo) {
        sudo.disabled = !ssh.checked;
        if (sudo.disabled) sudo.checked = false;
      }
      const is = [level ? level.value : was.value.split(" ")[0]];
      for (const box of [ssh, sudo]) if (box && box.checked) is.push(box.name.split(".").at(-1));
      const isChanged = is.join(" ") !== was.value;
      was.closest("tr").classList.toggle("changed", isChanged);
      if (isChanged) changed += 1;
    }
    for (const named of edit.querySelectorAll("input[data-new]")) if (named.value.trim() !== "") changed += 1;
    const fits = changed <= Number(edit.dataset.most) ? "" : ", of which at most " + edit.dataset.most + " users fit in one save";
    const told = edit.querySelector("[data-changed]");
    const text = changed === 0 ? "" : changed + " changed" + fits;
    if (told.textContent !== text) told.textContent = text;
    return changed;
  };
  edit.addEventListener("input", see);
  addEventListener("pageshow", see);
  let leaves = false;
  edit.addEventListener("submit", () => { leaves = true; });
  edit.querySelector("[data-leaves]").addEventListener("click", () => { leaves = true; });
  addEventListener("beforeunload", (event) => {
    if (!leaves && see() > 0) event.preventDefault();
  });
}
`;

// A live part of a page is truth only as long as central answers. When it has not for some
// seconds, the page says since when it does not know; the next answer takes that back.
"use strict";

const PATIENCE_MS = 7000;
let answeredAt = Date.now();

const show = (stale) => {
  document.body.classList.toggle("stale", stale);
  const banner = document.getElementById("stale");
  if (!stale || banner.hidden) {
    const since = new Date(answeredAt);
    const label = document.getElementById("stale-since");
    label.dateTime = since.toISOString();
    label.textContent = since.toLocaleTimeString("zh-CN", { hour12: false });
  }
  banner.hidden = !stale;
};

document.addEventListener("htmx:after:request", ({ detail }) => {
  const status = detail.ctx.response.raw.status;
  // Signed out meanwhile: the whole page goes where the server sends it.
  const live = detail.ctx.sourceElement.matches(".live");
  if (status === 401 || (status === 403 && live)) location.reload();
  if (status < 400 && live) {
    answeredAt = Date.now();
    show(false);
  }
});

if (document.querySelector(".live")) {
  setInterval(() => {
    if (Date.now() - answeredAt > PATIENCE_MS) show(true);
  }, 1000);
}

// The demonstration's page: presses buttons, asks how things stand, keeps the frames to scale.
const token = document.querySelector("meta[name=demo-token]").content;
const LOOK_MS = 700;
const LANGUAGE = "onecode.demo.language";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);
let language = localStorage[LANGUAGE] ?? (navigator.language.startsWith("zh") ? "zh" : "en");
let looks = null;
let said = null;
let busy = false;

const say = (zh, en) => (language === "zh" ? zh : en);

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// --- language ------------------------------------------------------------------------------------

function speak() {
  document.documentElement.lang = say("zh-CN", "en");
  for (const element of all("[data-zh]")) setText(element, element.dataset[language]);
  for (const element of all("[data-zh-label]"))
    element.setAttribute("aria-label", element.dataset[`${language}Label`]);
  for (const element of all("[data-zh-title]")) element.title = element.dataset[`${language}Title`];
  for (const element of all("[data-zh-alt]")) element.alt = element.dataset[`${language}Alt`];
  const other = one("#language");
  other.lang = say("en", "zh");
  setText(other, say("English", "中文"));
  for (const frame of all("iframe[data-src]")) frame.src = `${frame.dataset.src}?lang=${language}`;
  show();
}

one("#language").addEventListener("click", () => {
  language = say("en", "zh");
  localStorage[LANGUAGE] = language;
  speak();
});

// --- frames --------------------------------------------------------------------------------------

const scaler = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const wanted = Number(target.closest(".pane").dataset.width);
    const scale = Math.min(1, contentRect.width / wanted);
    target.style.setProperty("--scale", scale);
    target.style.setProperty("--frame-width", `${contentRect.width / scale}px`);
    target.style.setProperty("--frame-height", `${contentRect.height / scale}px`);
  }
});
for (const screen of all(".screen")) scaler.observe(screen);

for (const button of all(".grow"))
  button.addEventListener("click", () => {
    const pane = button.closest(".pane");
    const grown = pane.classList.toggle("grown");
    for (const other of all(".pane")) if (other !== pane) other.classList.remove("grown");
    one("#frames").classList.toggle("has-grown", grown);
    for (const each of all(".grow"))
      each.setAttribute("aria-expanded", each.closest(".pane").classList.contains("grown"));
  });

// --- how things stand ----------------------------------------------------------------------------

function sum(account) {
  if (!account) return say("看不见", "not seen");
  const { created, acknowledged, pending, tombstoned } = account;
  return say(
    `共 ${created} = 已签收 ${acknowledged} + 待送 ${pending} + 注销 ${tombstoned}`,
    `created ${created} = acknowledged ${acknowledged} + pending ${pending} + tombstoned ${tombstoned}`,
  );
}

function showAccount(id, account, note = "") {
  const place = one(id);
  setText(one("[data-sum]", place), sum(account) + note);
  const mark = one("[data-mark]", place);
  const { created, acknowledged, pending, tombstoned, holds } = account ?? {};
  const adds = account && created === acknowledged + pending + tombstoned && holds;
  mark.className = !account ? "unknown" : !adds ? "bad" : pending ? "waits" : "good";
  setText(mark, !account ? "?" : !adds ? "✗" : pending ? "…" : "✓");
}

function showBetween(box, central) {
  const place = one("#between");
  const count = box && central ? box.created - central.created : null;
  place.dataset.count = count ?? "";
  setText(one("[data-sum]", place), count === null ? "?" : say(`${count} 条`, `${count}`));
}

function clockText(seconds, at) {
  const shown = at ? `${new Date(at).toLocaleString("sv").slice(5, 16)} ` : "";
  if (!seconds) return shown + say("准", "ok");
  return shown + (seconds > 0 ? say("快一天", "+1 day") : say("慢一天", "−1 day"));
}

function showPart(part) {
  const name = part.dataset.part;
  const state = one(".state", part);
  const stands = name === "operator" ? looks.operator !== null : Boolean(looks[name]);
  part.dataset.stands = name === "clock" ? !looks.clock : stands;
  if (name === "clock") setText(state, clockText(looks.clock, looks.box_time));
  else if (name === "operator") setText(state, looks.operator ?? say("无人", "nobody"));
  else setText(state, state.dataset[`${language}${stands ? "True" : "False"}`]);
  for (const button of all("button[data-when]", part))
    button.hidden = button.dataset.when !== String(stands);
}

function showLabel(label) {
  const [picture] = all("#label img");
  const code = one("#label pre");
  if (label && picture.dataset.id !== label.id) {
    picture.dataset.id = label.id;
    picture.src = `/label/${label.id}`;
    setText(code, label.zpl);
  }
  picture.alt = label ? say("最近打印的标签", "The label printed last") : "";
}

function showSaid() {
  const place = one("#said");
  const text = said?.[language] ?? say("按一个按钮，看三个窗口。", "Press a button and watch the frames.");
  place.className = said ? (said.held ? "held" : "refused") : "";
  place.toggleAttribute("data-verbatim", Boolean(said));
  setText(place, text);
}

function show() {
  showSaid();
  if (!looks) return;
  all("[data-part]").forEach(showPart);
  showAccount("#box-account", looks.box_account, looks.on_disk ? say("（盒子关机，按磁盘核对）", " (off; proved from its disk)") : "");
  showAccount("#central-account", looks.central_account);
  showBetween(looks.box_account, looks.central_account);
  showLabel(looks.label);
}

async function look() {
  try {
    looks = await (await fetch("/looks")).json();
    document.body.classList.remove("ended");
  } catch {
    document.body.classList.add("ended");
    said = { zh: "演示已经停止。", en: "The demonstration has stopped.", held: false };
  }
  show();
}

async function lookOn() {
  await look();
  setTimeout(lookOn, LOOK_MS);
}

// --- buttons -------------------------------------------------------------------------------------

function setBusy(now) {
  busy = now;
  document.body.setAttribute("aria-busy", now);
}

async function act(name) {
  if (busy) return;
  setBusy(true);
  said = { zh: "……", en: "…", held: true };
  delete one("#said").dataset.act;
  showSaid();
  try {
    const answer = await fetch(`/act/${name}`, { method: "POST", headers: { "X-Demo-Token": token } });
    said = answer.ok
      ? await answer.json()
      : { zh: "页面已过期，请刷新", en: "This page is out of date: reload it", held: false };
  } catch {
    said = { zh: "演示已经停止", en: "The demonstration has stopped", held: false };
  }
  setBusy(false);
  await look();
  one("#said").dataset.act = name;
}

for (const button of all("[data-act]")) button.addEventListener("click", () => act(button.dataset.act));

speak();
lookOn();

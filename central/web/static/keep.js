// Draws the static code with name and hint as one picture, with the phone's own fonts.
"use strict";

const WIDTH = 720;
const HEIGHT = 960;
const CODE = 600;
const FONT = getComputedStyle(document.body).fontFamily;

const source = document.getElementById("source");
const { name, title, hint } = source.dataset;

const write = (pen, text, y, size, weight) => {
  do {
    pen.font = `${weight} ${size}px ${FONT}`;
    size -= 2;
  } while (pen.measureText(text).width > WIDTH - 60 && size > 16);
  pen.fillText(text, WIDTH / 2, y);
};

const symbol = new Image();
symbol.onload = () => {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(symbol, (WIDTH - CODE) / 2, 200, CODE, CODE);
  pen.fillStyle = "#000";
  pen.textAlign = "center";
  write(pen, title, 80, 48, 700);
  write(pen, name, 170, 64, 700);
  write(pen, hint, 880, 38, 400);
  const picture = canvas.toDataURL("image/png");
  const card = document.getElementById("card");
  card.src = picture;
  card.hidden = false;
  document.getElementById("name").hidden = true;
  document.getElementById("hint").hidden = true;
  source.hidden = true;
  const save = document.getElementById("save");
  save.href = picture;
  save.hidden = false;
};
const svg = source.querySelector("svg").cloneNode(true);
svg.setAttribute("width", CODE);
svg.setAttribute("height", CODE);
symbol.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;

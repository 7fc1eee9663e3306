// The line to the box's program: one WebSocket, opened again for as long as the page lives.
//
// It says what came and when it was lost; what that means for the screen is for others to say.

const PATH = "/api/v1/events";
const AGAIN_MS = [200, 400, 800, 1_600];

export class Line {
  #socket = null;
  #failures = 0;
  #timer = null;

  // ``heard(message)``, ``lost()``; ``failed()`` when a try to open came to nothing.
  constructor({ heard, lost, failed }) {
    this.heard = heard;
    this.lost = lost;
    this.failed = failed;
  }

  open() {
    clearTimeout(this.#timer);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${PATH}`);
    let opened = false;
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      opened = true;
      this.#failures = 0;
      this.heard(JSON.parse(data));
    };
    socket.onclose = () => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      if (opened) this.lost();
      else this.failed();
      this.#timer = setTimeout(() => this.open(), AGAIN_MS[Math.min(this.#failures, AGAIN_MS.length - 1)]);
      this.#failures += 1;
    };
  }

  // The line has fallen silent: whoever is at its other end sleeps or is gone.
  reopen() {
    const silent = this.#socket;
    this.#socket = null;
    silent?.close();
    this.open();
  }
}

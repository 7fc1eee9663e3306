// Draws ZPL with zpl-renderer-js, which shares no code with the product. One line of JSON in,
// {zpl, width_mm, height_mm}; one line out, the picture as base64 PNG, or {error}.
import { createInterface } from "node:readline";
import { ready } from "zpl-renderer-js";

const { api } = await ready;
for await (const line of createInterface({ input: process.stdin })) {
  const { zpl, width_mm, height_mm } = JSON.parse(line);
  let answer;
  try {
    answer = { png: await api.zplToBase64Async(zpl, width_mm, height_mm, 8) };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);

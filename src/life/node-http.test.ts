import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

test("HTTP comes without the client behind fetch and WebSocket, wherever it is used", () => {
  const rooms = ["admin", "broker", "gateway", "nameserver", "sync"].map((room) => `await import("#${room}");`);
  const count = 'process.moduleLoadList.filter((name) => name.includes("undici")).length';
  const argv = ["--input-type=module", "-e", `${rooms.join("")} process.stdout.write(String(${count}));`];
  expect(execFileSync(process.execPath, argv, { encoding: "utf8" })).toBe("0");
});

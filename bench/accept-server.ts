import { createServer } from "node:net";

/** It accepts whatever comes to some ports and closes it; at SIGUSR2 it prints how many came to each. The arguments are
 *  the ports. */
if (import.meta.main) {
  const ports = process.argv.slice(2).map(Number);
  const counts = new Map(ports.map((port) => [port, 0]));
  await Promise.all(
    ports.map(async (port) => {
      const server = createServer((socket) => {
        counts.set(port, (counts.get(port) ?? 0) + 1);
        socket.on("error", () => {}); // the clients close by RST
        socket.destroy();
      });
      await new Promise<void>((listening) => server.listen({ host: "0.0.0.0", port, backlog: 4096 }, listening));
    }),
  );
  process.on("SIGUSR2", () => process.stdout.write(`${JSON.stringify(Object.fromEntries(counts))}\n`));
  process.stdout.write("ready\n");
}

/** Node scripts that host tests run inside namespaces, given to `node -e`. */

/** Answers each connection and each datagram on a port with the client's address, and says what it heard. */
export const ECHO_SERVER = `
const port = 8080;
require("node:net").createServer((s) => { s.on("error", () => {}); s.end("saw " + s.remoteAddress); })
  .listen(port, "0.0.0.0", () => {
    const udp = require("node:dgram").createSocket("udp4");
    udp.on("message", (m, from) => udp.send("saw " + from.address, from.port, from.address));
    udp.bind(port, () => console.log("ready"));
  });`;

/** Connects by (tcp or udp, address, port) and prints the answer, or the error's code, or `silence` after a second. */
export const CLIENT = `
const [kind, address, port] = process.argv.slice(1);
const done = (text) => { console.log(text); process.exit(0); };
setTimeout(() => done("silence"), 1000);
if (kind === "tcp") {
  const s = require("node:net").connect({ host: address, port: Number(port) });
  s.on("data", (data) => done(String(data)));
  s.on("error", (error) => done(error.code));
} else {
  const s = require("node:dgram").createSocket("udp4");
  s.connect(Number(port), address, () => s.send("?", (error) => error && done(error.code)));
  s.on("message", (data) => done(String(data)));
  s.on("error", (error) => done(error.code));
}`;

/** Connects n times in turn, and prints the answers with their numbers as JSON, and the median time in microseconds. */
export const CONNECTS = `
const [address, port, n] = process.argv.slice(1);
const net = require("node:net"), counts = {}, times = [];
(async () => {
  for (let i = 0; i < Number(n); i += 1) {
    const start = performance.now();
    const answer = await new Promise((resolve) => {
      const s = net.connect({ host: address, port: Number(port) }, () => times.push(performance.now() - start));
      s.on("data", (data) => { s.destroy(); resolve(String(data)); });
      s.on("error", (error) => resolve(error.code));
    });
    counts[answer] = (counts[answer] ?? 0) + 1;
  }
  times.sort((a, b) => a - b);
  console.log(JSON.stringify({ counts, medianMicros: Math.round(times[times.length >> 1] * 1000) }));
})();`;

/** Answers on port 8081 of each of its arguments, and says which it is. */
export const ADDRESS_SERVER = `
const net = require("node:net"), dgram = require("node:dgram"), addresses = process.argv.slice(1);
const opened = addresses.map((address) => new Promise((resolve) => {
  const udp = dgram.createSocket("udp4");
  udp.on("message", (m, from) => udp.send(address, from.port, from.address));
  udp.bind(8081, address);
  net.createServer((s) => { s.on("error", () => {}); s.end(address); }).listen(8081, address, resolve);
}));
Promise.all(opened).then(() => console.log("ready"));`;

/** Connects once from each of its last arguments, source addresses, and prints the answers as JSON. */
export const SOURCES = `
const [address, port, ...sources] = process.argv.slice(1);
const ask = (localAddress) => new Promise((resolve) => {
  const s = require("node:net").connect({ localAddress, host: address, port: Number(port) });
  s.on("data", (data) => { s.destroy(); resolve(String(data)); });
  s.on("error", (error) => resolve(error.code));
});
Promise.all(sources.map(ask)).then((answers) => console.log(JSON.stringify(answers)));`;

/** Sends datagrams from one socket until an answer differs from the first, and prints both. */
export const UDP_MOVES = `
const [address, port] = process.argv.slice(1);
const s = require("node:dgram").createSocket("udp4");
setTimeout(() => process.exit(1), 20000);
let first;
s.on("message", (data) => {
  if (first === undefined) { first = String(data); console.log(first); }
  else if (String(data) !== first) { console.log(String(data)); process.exit(0); }
});
s.connect(Number(port), address, () => setInterval(() => s.send("?", () => {}), 10));`;

/** Sends n datagrams, as fast as the loop turns, and prints how many were answered. */
export const FLOOD = `
const [address, port, n] = process.argv.slice(1);
const s = require("node:dgram").createSocket("udp4");
let left = Number(n), answers = 0;
s.on("message", () => { answers += 1; });
const step = () => {
  if (left-- > 0) s.send("?", () => setImmediate(step));
  else setTimeout(() => { console.log(answers); process.exit(0); }, 200);
};
s.connect(Number(port), address, step);`;

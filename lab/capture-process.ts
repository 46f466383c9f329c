import { openSync, writeSync } from "node:fs";
import koffi from "koffi";
import { pcapHeader, pcapRecord } from "./pcap.ts";

// From <sys/socket.h>, <linux/if_packet.h> and <linux/if_ether.h>, the same on x86-64 and arm64.
const AF_PACKET = 17;
const SOCK_RAW = 3;
const ETH_P_ALL_NETWORK_ORDER = 0x0300;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
/** Room for a burst that comes while a frame is written. */
const BUFFER_BYTES = 64 << 20;
const SNAP_BYTES = 65_536;

/** captureTo writes every frame that passes an interface of this network namespace to a pcap file, until one comes
 *  that contains the last word: whatever passed before that one is in the file then. It blocks in recv (packet(7)). */
export function captureTo(file: string, lastWord: string): void {
  const recv = openPacketSocket();
  const out = openSync(file, "w", 0o600);
  writeSync(out, pcapHeader(SNAP_BYTES));
  process.stdout.write("ready\n");
  const buffer = Buffer.alloc(SNAP_BYTES);
  for (;;) {
    const frame = buffer.subarray(0, recv(buffer));
    if (frame.includes(lastWord)) return;
    writeSync(out, pcapRecord(frame));
  }
}

/** openPacketSocket gives a function that waits for the next frame of any interface and gives its length. */
function openPacketSocket(): (buffer: Buffer) => number {
  const libc = koffi.load("libc.so.6");
  const socket = libc.func("int socket(int domain, int type, int protocol)");
  const setsockopt = libc.func("int setsockopt(int fd, int level, int name, const void *value, uint32_t length)");
  const recv = libc.func("long recv(int fd, void *buffer, size_t length, int flags)");
  const fd = Number(socket(AF_PACKET, SOCK_RAW, ETH_P_ALL_NETWORK_ORDER));
  if (fd < 0) throw new Error("no packet socket: it needs CAP_NET_RAW");
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, Uint32Array.of(BUFFER_BYTES), 4);
  return (buffer) => {
    const length = Number(recv(fd, buffer, buffer.length, 0));
    if (length < 0) throw new Error("the packet socket is gone");
    return length;
  };
}

if (import.meta.main) captureTo(process.argv[2] ?? "", process.argv[3] ?? "");

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  addPod,
  askUdp,
  type Cluster,
  createCluster,
  createPlace,
  createRun,
  createUnderlay,
  endOf,
  exec,
  type Footprint,
  firstNode,
  footprint,
  get,
  getOnce,
  installServices,
  keepRun,
  leftovers,
  linesOf,
  listRuns,
  mustExec,
  type Place,
  POD_CIDR,
  type Pod,
  ping,
  processesOf,
  type Run,
  readFrames,
  resolve,
  runPodServer,
  SERVICE_CIDR,
  spawnIn,
  startCapture,
  startDownload,
  stopJob,
  sweep,
  sweepRun,
  UNDERLAY_ADDRESS,
  waitForLine,
} from "#lab";
import { expect as must, parseIp } from "#values";

const MARKER = "only-in-the-page";
const ip = (text: string) => must(parseIp(text));

describe("two clusters with the same CIDRs", () => {
  let run: Run;
  let before: Footprint;
  let underlay: Place;
  let amber: Cluster;
  let birch: Cluster;
  let web: Pod;
  let client: Pod;
  let birchClient: Pod;
  let birchOnly: Pod;

  beforeAll(async () => {
    run = await createRun();
    before = await footprint(run);
    underlay = await createUnderlay(run);
    const cidrs = { podCidr: POD_CIDR, serviceCidr: SERVICE_CIDR };
    amber = await createCluster(underlay, { name: "amber", index: 1, nodes: 2, ...cidrs, masquerade: false });
    birch = await createCluster(underlay, { name: "birch", index: 2, ...cidrs, masquerade: true });
    web = await addPod(amber, { name: "web-0", address: ip("10.244.1.10") });
    client = await addPod(amber, { name: "client", address: ip("10.244.1.11") });
    birchClient = await addPod(birch, { name: "client", address: ip("10.244.1.10") });
    birchOnly = await addPod(birch, { name: "far", address: ip("10.244.1.99") });
    await runPodServer(web, MARKER);
    await runPodServer(birchOnly, MARKER);
    const service = { namespace: "shop", name: "web", clusterIp: ip("10.96.0.10"), exported: true };
    await installServices(amber, [{ ...service, backends: [web] }]);
  });

  afterAll(async () => {
    const during = await footprint(run);
    expect(during.hold.networks.size).toBe(8); // underlay, three nodes, four pods
    await sweepRun(run);
    expect(await leftovers(run, before, during)).toEqual([]);
  });

  test("createCluster() gives nodes addresses of their own and pods equal ones", () => {
    expect(amber.members.map((node) => node.address)).toEqual(["172.31.0.11", "172.31.0.31"]);
    expect(firstNode(birch).address).toBe("172.31.0.12");
    expect(web.address).toBe(birchClient.address);
  });

  test("createPlace() has a host name, a private /run/wireguard and the resolv.conf of its cluster", async () => {
    expect((await mustExec(web, ["uname", "-n"])).trim()).toBe("amber-web-0");
    expect(await mustExec(web, ["cat", "/etc/resolv.conf"])).toContain("nameserver 172.31.0.11");
    await mustExec(web, ["touch", "/run/wireguard/mrd0.sock"]);
    expect(await mustExec(client, ["ls", "/run/wireguard"])).toBe("");
  });

  test("ClusterIP answers pods by TCP and UDP, and the server sees the pod", async () => {
    const page = must(await getOnce(client, "http://10.96.0.10/"));
    expect(page).toMatchObject({ pod: "web-0", cluster: "amber", client: client.address });
    expect(page.body).toContain(MARKER);
    const datagram = must(await askUdp(client, "10.96.0.10", 9000, "hello"));
    expect(datagram.body).toContain("text: hello");
  });

  test("ClusterIP answers processes of the node, masqueraded, and the pod that is its own endpoint", async () => {
    expect(must(await getOnce(firstNode(amber), "http://10.96.0.10/")).client).toBe("10.244.1.1");
    expect(must(await get(web, "http://10.96.0.10/", 2)).map((answer) => answer.pod)).toEqual(["web-0", "web-0"]);
  });

  test("ClusterIP without endpoints is refused at once", async () => {
    const refused = await getOnce(client, "http://10.96.0.99/");
    expect(refused.ok ? "" : refused.error).toContain("ECONNREFUSED");
  });

  test("pods of one cluster reach each other from node to node", async () => {
    const far = await addPod(amber, { name: "far", node: 2, address: ip("10.244.2.10") });
    expect(must(await getOnce(far, `http://${web.address}:8080/`)).client).toBe(far.address);
    await stopHolder(far);
  });

  test("pods do not reach the other cluster", async () => {
    expect(must(await getOnce(birchClient, `http://${birchOnly.address}:8080/`)).cluster).toBe("birch");
    expect(await ping(client, birchOnly.address, 1)).toMatchObject({ ok: false });
    expect(await ping(client, "242.2.1.99", 1)).toMatchObject({ ok: false });
  });

  test("resolve() fails while nobody serves names", async () => {
    expect(await resolve(client, "web.shop.svc.clusterset.local")).toMatchObject({ ok: false });
  });

  test("masquerade hides a pod's address on the underlay; without it the address is seen there", async () => {
    const capture = await startCapture(underlay, "masquerade");
    const pings = await Promise.all([ping(birchClient, UNDERLAY_ADDRESS, 1), ping(client, UNDERLAY_ADDRESS, 1)]);
    const sources = new Set((await capture.stop()).map((frame) => frame.ip?.source));
    expect(pings.map((result) => result.ok)).toEqual([true, false]);
    expect(sources).toContain("172.31.0.12");
    expect(sources).toContain(client.address);
    expect(sources).not.toContain(birchClient.address);
  });

  test("readFrames() finds what is readable on the underlay", async () => {
    const capture = await startCapture(underlay, "clear");
    const pattern = Buffer.from("in-the-clear").toString("hex");
    await mustExec(firstNode(amber), ["ping", "-c", "1", "-p", pattern, firstNode(birch).address]);
    const frames = await capture.stop();
    expect(readFrames(frames, "in-the-clear", []).withMarker).toBeGreaterThan(0);
    expect(readFrames(frames, "not-there", [POD_CIDR])).toMatchObject({ withMarker: 0, inside: 0, encrypted: 0 });
  });

  test("INVALID packets are dropped in forward", async () => {
    const node = firstNode(amber);
    await mustExec(node, ["tee", "/proc/sys/net/netfilter/nf_conntrack_tcp_loose"], { stdin: "0" });
    const download = await startDownload(client, "stalled", `http://${web.address}:8080/download?seconds=30`);
    await waitForLine(download, (line) => line.includes("started"));
    await mustExec(node, ["conntrack", "-D", "-p", "tcp", "--dport", "8080"]);
    const dropped = async () => /ct state invalid counter packets (\d+)/.exec(await rules(node))?.[1];
    await expect.poll(dropped, { timeout: 10_000 }).not.toBe("0");
    expect((await linesOf(download)).filter((line) => line.includes("done"))).toEqual([]);
    await stopJob(download, { signal: "SIGKILL" });
  });

  test("spawnIn() keeps the pid of the program; stopJob() ends it and gives its exit code", async () => {
    const job = await spawnIn(client, "trap", [
      "sh",
      "-c",
      "trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done",
    ]);
    await waitForLine(job, (line) => line === "up");
    expect(await readFile(`/proc/${job.pid}/comm`, "utf8")).toBe("sh\n");
    expect(await stopJob(job)).toBe(7);
  });

  test("waitForLine() throws with the log when the program ends first", async () => {
    const job = await spawnIn(client, "short", ["sh", "-c", "echo what went wrong; exit 3"]);
    await expect(waitForLine(job, (line) => line === "ready")).rejects.toThrow(/ended with 3\nwhat went wrong/);
  });

  test("endOf() gives the exit code, and throws when the job goes on", async () => {
    expect(await endOf(await spawnIn(client, "quick", ["sh", "-c", "exit 4"]))).toBe(4);
    const job = await spawnIn(client, "slow", ["sleep", "60"]);
    await expect(endOf(job, 50)).rejects.toThrow("slow: still runs after 50 ms");
    expect(await stopJob(job)).toBe(null);
  });

  test("exec() ends what takes too long, and says so", async () => {
    const late = await exec(client, ["sleep", "60"], { timeoutMs: 100 });
    expect(late).toMatchObject({ ok: false, error: { argv: ["sleep", "60"], stderr: "no end within 100 ms" } });
  });
});

describe("sweep()", () => {
  const CRASH = `
    import { createRun, createPlace, spawnIn } from "#lab";
    const run = await createRun(process.argv[1]);
    const place = await createPlace(run, "orphan", "127.0.0.1");
    await spawnIn(place, "daemon", ["env", "-i", "/usr/bin/setsid", "/bin/sleep", "1000"]);
    console.log(run.folder);
    setInterval(() => {}, 1000);
  `;
  let parent: string;

  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), "lab-sweep-"));
  });
  afterAll(async () => {
    await sweep({ parent, kept: true });
    await rm(parent, { recursive: true });
  });

  test("sweep() removes the run of an owner that was killed, with processes that hid their mark", async () => {
    const owner = spawn(process.execPath, ["--input-type=module", "-e", CRASH, parent], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(owner.stdout, "data")) as [Buffer];
    const folder = line.toString("utf8").trim();
    expect(await sweep({ parent })).toEqual([]); // its owner lives
    owner.kill("SIGKILL");
    await once(owner, "exit");
    await expect.poll(async () => (await processesOf(folder)).length).toBe(2); // the holder and the daemon
    expect((await sweep({ parent })).map((run) => run.folder)).toEqual([folder]);
    expect(await processesOf(folder)).toEqual([]);
    expect(await listRuns(parent)).toEqual([]);
  });

  test("sweep() ends processes whose run has lost its folder", async () => {
    const run = await createRun(parent);
    const place = await createPlace(run, "orphan", "127.0.0.1");
    await rm(run.folder, { recursive: true });
    await sweep({ parent });
    expect(await processesOf(run.folder)).toEqual([]);
    expect(existsSync(`/proc/${place.pid}/root/run/wireguard`)).toBe(false);
  });

  test("sweep() leaves the runs of living owners and those that were kept", async () => {
    const run = await createRun(parent);
    await keepRun(run);
    expect(await sweep({ parent, kept: true })).toEqual([]);
    expect(await listRuns(parent)).toMatchObject([{ id: run.id, alive: true, kept: true }]);
    await sweepRun(run);
  });
});

/** stopHolder ends a place's only process; the kernel takes its links. */
async function stopHolder(place: Place): Promise<void> {
  process.kill(place.pid, "SIGKILL");
  await expect.poll(() => readFile(`/proc/${place.pid}/environ`, "utf8").catch(() => "")).toBe("");
}

function rules(node: Place): Promise<string> {
  return mustExec(node, ["nft", "list", "table", "ip", "kube-proxy-like"]);
}

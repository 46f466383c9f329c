import { readdirSync, readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, test } from "vitest";
import { type Child, forkChild, type StartChild } from "./child.ts";
import { loadPosixChild } from "./posix-spawn.ts";

/** The states of this process's children that have ended and that nobody has asked for (proc(5), state Z). */
function zombies(): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [readFileSync(`/proc/${name}/stat`, "utf8")];
      } catch {
        return []; // it has just gone
      }
    })
    .filter((stat) => stat.includes(`) Z ${process.pid} `));
}

const openFiles = (): number => readdirSync("/proc/self/fd").length;

describe.each(["forkChild", "posixChild"] as const)("%s()", (name) => {
  let start: StartChild = forkChild;
  beforeAll(async () => {
    const native = await loadPosixChild();
    if (!native.ok) throw new Error(native.error);
    if (name === "posixChild") start = native.value;
  });
  const started = async (argv: readonly string[], withStdin = false): Promise<Child> => {
    const child = await start(argv, withStdin);
    if (!child.ok) throw new Error(child.error.message);
    return child.value;
  };

  test("keeps stdout and stderr apart, and gives the exit code", async () => {
    const child = await started(["sh", "-c", "echo out; echo err >&2; exit 7"]);
    const said = await Promise.all([text(child.stdout), text(child.stderr), child.ended]);
    expect(said).toEqual(["out\n", "err\n", 7]);
  });

  test("hands over the environment of this process", async () => {
    const child = await started(["printenv", "PATH"]);
    child.stderr.resume();
    expect(await text(child.stdout)).toBe(`${process.env["PATH"]}\n`);
  });

  test("a program without stdin reads an end at once", async () => {
    const child = await started(["cat"]);
    child.stderr.resume();
    expect(child.stdin).toBeNull();
    expect(await text(child.stdout)).toBe("");
  });

  test("a broken pipe ends the program, as it does in a shell", async () => {
    // Node ignores SIGPIPE; a program that inherited this would go on and complain.
    const child = await started(["sh", "-c", "kill -PIPE $$; echo survived"]);
    child.stderr.resume();
    expect(await text(child.stdout)).toBe("");
    expect(await child.ended).toBeNull();
  });

  test("a child holds no descriptor of another one, else that one would never read its end", async () => {
    const listed = async (): Promise<string> => {
      const child = await started(["ls", "/proc/self/fd"]);
      child.stderr.resume();
      return text(child.stdout);
    };
    const before = await listed();
    const reader = await started(["cat"], true);
    expect(await listed()).toBe(before);
    reader.stdin?.end();
    expect(await Promise.all([text(reader.stdout), text(reader.stderr), reader.ended])).toEqual(["", "", 0]);
  });

  test("what there is not, and what may not run, are told by their error", async () => {
    expect(await start(["meridian-no-such-program"], true)).toMatchObject({ ok: false, error: { code: "ENOENT" } });
    expect(await start(["/"], true)).toMatchObject({ ok: false, error: { code: "EACCES" } });
  });

  test("kill() ends it, and later does nothing", async () => {
    const child = await started(["sleep", "1000"]);
    child.stdout.resume();
    child.stderr.resume();
    child.kill("SIGKILL");
    expect(await child.ended).toBeNull();
    child.kill("SIGKILL");
  });

  test("leaves neither descriptors nor zombies behind", async () => {
    const files = openFiles();
    for (const argv of Array.from({ length: 10 }, () => [["true"], ["meridian-no-such-program"], ["false"]]).flat()) {
      const child = await start(argv, true);
      if (!child.ok) continue;
      child.value.stdin?.end();
      await Promise.all([text(child.value.stdout), text(child.value.stderr), child.value.ended]);
    }
    await expect.poll(openFiles).toBeLessThanOrEqual(files); // some of earlier tests may close meanwhile
    expect(zombies()).toEqual([]);
  });
});

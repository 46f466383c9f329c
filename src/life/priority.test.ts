import { execFileSync } from "node:child_process";
import { getPriority, setPriority } from "node:os";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";

/** inProcess runs a script in a process of its own, since a niceness once raised cannot always be lowered again. */
function inProcess(script: string): string {
  const source = new URL("./priority.ts", import.meta.url).href;
  const text = `import { preferProcess, withoutPreference } from ${JSON.stringify(source)};
    import { execFileSync } from "node:child_process";
    import { getPriority, setPriority } from "node:os";
    ${script}`;
  return execFileSync(process.execPath, ["--input-type=module", "-e", text], { encoding: "utf8", cwd: process.cwd() });
}

const mayRaise = ((): boolean => {
  try {
    return inProcess("setPriority(0, -1); console.log(getPriority(0));").trim() === "-1";
  } catch {
    return false; // without CAP_SYS_NICE
  }
})();

describe("preferProcess()", () => {
  test.runIf(mayRaise)("goes before usual processes, with every thread that there is", () => {
    const said = inProcess(`import { readdirSync } from "node:fs";
      const done = preferProcess();
      console.log(done.ok, new Set(readdirSync("/proc/self/task").map((id) => getPriority(Number(id)))));`);
    expect(said.trim()).toBe("true Set(1) { -10 }");
  });

  test("withoutPreference() starts a program like everybody, and comes back", () => {
    const said = inProcess(`preferProcess();
      const before = getPriority(0);
      const child = withoutPreference(() => execFileSync("nice", [], { encoding: "utf8" }).trim());
      console.log(child, getPriority(0) === before);`);
    expect(said.trim()).toBe("0 true");
  });

  test("a thread lowers only itself", async () => {
    const before = getPriority(0);
    const worker = new Worker(`require("node:os").setPriority(7)`, { eval: true });
    await new Promise((resolve) => worker.once("exit", resolve));
    expect(getPriority(0)).toBe(before);
    setPriority(0, before);
  });
});

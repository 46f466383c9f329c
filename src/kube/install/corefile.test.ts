import { describe, expect, test } from "vitest";
import { addForward, reloads, removeForward } from "./corefile.ts";

/** As kubeadm 1.37 writes it. */
const KUBEADM = `.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
`;

const BLOCK = `# meridian: begin
clusterset.local:53 {
    errors
    forward . 10.96.7.7
}
# meridian: end
`;

describe("addForward()", () => {
  test("adds one server block behind what is there", () => {
    expect(addForward(KUBEADM, "clusterset.local", "10.96.7.7")).toEqual({ ok: true, value: KUBEADM + BLOCK });
  });

  test("done twice changes nothing; another address replaces the first", () => {
    const once = `${KUBEADM}${BLOCK}`;
    expect(addForward(once, "clusterset.local", "10.96.7.7")).toEqual({ ok: true, value: once });
    const moved = addForward(once, "clusterset.local", "10.96.8.8");
    expect(moved).toEqual({ ok: true, value: once.replace("10.96.7.7", "10.96.8.8") });
  });

  test("ends a last line that has no end", () => {
    expect(addForward(".:53 {\n}", "clusterset.local", "10.96.7.7")).toMatchObject({ value: `.:53 {\n}\n${BLOCK}` });
  });

  test.each([
    ["a server block", "clusterset.local:53 {\n  forward . 192.0.2.1\n}\n"],
    ["one with a scheme and a dot", "dns://clusterset.local. {\n}\n"],
    [
      "the plugin kubernetes",
      ".:53 {\n  kubernetes cluster.local clusterset.local {\n    multicluster clusterset.local\n  }\n}\n",
    ],
  ])("leaves a Corefile alone that serves the zone by %s", (_, corefile) => {
    const refused = addForward(corefile, "clusterset.local", "10.96.7.7");
    expect(refused).toMatchObject({ ok: false, error: expect.stringContaining("serves clusterset.local already") });
  });

  test("a comment serves nothing", () => {
    expect(addForward("# clusterset.local is next\n", "clusterset.local", "10.96.7.7").ok).toBe(true);
  });
});

describe("removeForward()", () => {
  test("gives back what was there before", () => {
    expect(removeForward(KUBEADM + BLOCK)).toBe(KUBEADM);
    expect(removeForward(`${KUBEADM}${BLOCK}example.org {\n}\n`)).toBe(`${KUBEADM}example.org {\n}\n`);
  });

  test("changes nothing where nothing is ours", () => {
    expect(removeForward(KUBEADM)).toBe(KUBEADM);
    expect(removeForward("# meridian: begin\n.:53 {\n}\n")).toBe("# meridian: begin\n.:53 {\n}\n");
  });
});

test("reloads() finds the plugin, and no word that only begins so", () => {
  expect(reloads(KUBEADM)).toBe(true);
  expect(reloads(".:53 {\n  reloader\n}\n")).toBe(false);
});

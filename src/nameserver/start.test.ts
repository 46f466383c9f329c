import { describe, expect, test } from "vitest";
import { serve, until } from "./testbed.ts";

const COUNT = 10_000;
const COREFILE =
  "clusterset.local:{$DNS} {\n  bind 127.0.0.1\n  kubernetes clusterset.local {\n    multicluster clusterset.local\n  }\n}\n";

const addressOf = (i: number): string => `242.192.${i >>> 8}.${i & 255}`;
const nameOf = (i: number): string => `s${i}.ns-${i % 100}.svc.clusterset.local`;

function imports(): string {
  const one = (i: number): string => `---
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceImport
metadata:
  name: s${i}
  namespace: ns-${i % 100}
spec:
  type: ClusterSetIP
  ips:
  - ${addressOf(i)}
  ports:
  - name: http
    port: 80
`;
  return Array.from({ length: COUNT }, (_, i) => one(i)).join("");
}

describe("10,000 imports in one file", () => {
  test("from the first answer on, each of them answers, and what is in none does not exist", async () => {
    await using bed = await serve(COREFILE, imports(), false);
    const last = await until(
      () => bed.ask(nameOf(COUNT - 1)),
      () => true,
    );
    expect([last.rcode, last.answers.map(({ data }) => data)]).toEqual(["NOERROR", [addressOf(COUNT - 1)]]);
    for (let i = 0; i < COUNT; i += 97) {
      const { answers } = await bed.ask(nameOf(i));
      expect(answers.map(({ data }) => data)).toEqual([addressOf(i)]);
    }
    expect((await bed.ask(nameOf(COUNT))).rcode).toBe("NXDOMAIN");
  });
});

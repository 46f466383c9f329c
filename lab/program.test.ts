import { expect, test } from "vitest";
import { expect as must, parseCidr, parseIp } from "#values";
import { gatewayArgs, isReadyLine } from "./program.ts";

test.each([
  ['{"level":"info","time":"2026-11-23T05:00:00.000Z","msg":"ready","revision":3}', true],
  ['{"level":"info","msg":"not ready"}', false],
  ['{"level":"info","detail":"ready"}', false],
  ["ready", false],
  ["{ready", false],
  ["", false],
])("isReadyLine(%j) is %s", (line, ready) => {
  expect(isReadyLine(line)).toBe(ready);
});

test("gatewayArgs() has every flag that a plain host needs, and no token", () => {
  const cluster = {
    name: "amber",
    podCidr: must(parseCidr("10.244.0.0/16")),
    serviceCidr: must(parseCidr("10.96.0.0/16")),
  };
  const node = { address: must(parseIp("172.31.0.11")) };
  expect(gatewayArgs(cluster, node, { data: "/d", manifests: "/m" }).join(" ")).toBe(
    "gateway --data /d --cluster amber --pod-cidr 10.244.0.0/16 --service-cidr 10.96.0.0/16 --manifests /m " +
      "--endpoint 172.31.0.11 --dns 172.31.0.11:53 --dns 127.0.0.1:53 --http 127.0.0.1:9090",
  );
});

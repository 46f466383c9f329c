import fc from "fast-check";
import { expect, test } from "vitest";
import { type Ip, ipFrom, isDnsLabel } from "#values";
import { endpointHostname } from "./endpoint-hostname.ts";

test.each([
  ["10.244.3.7", "10-244-3-7"],
  ["fd00:1::7", "fd00-1--7"],
  ["fd00::", "fd00--0"],
  ["::5", "0--5"],
])("endpointHostname() writes %s as %s", (address, hostname) => {
  expect(endpointHostname(address as Ip)).toBe(hostname);
});

test("endpointHostname() is a DNS label, and another one for every address", () => {
  const address = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((value) => ipFrom(6, value));
  fc.assert(
    fc.property(address, address, (a, b) => {
      expect(isDnsLabel(endpointHostname(a))).toBe(true);
      expect(endpointHostname(a) === endpointHostname(b)).toBe(a === b);
    }),
  );
});

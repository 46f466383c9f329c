import { expect, test } from "vitest";
import { derivedName } from "./derived-name.ts";

// What the reference controller makes of them: base32hex of SHA-256, computed by another program.
test.each([
  ["shop", "web", "derived-isrlchlhrq"],
  ["default", "my-svc", "derived-b8s174v3sn"],
])("derivedName(%s, %s) is %s", (namespace, name, derived) => {
  expect(derivedName(namespace, name)).toBe(derived);
});

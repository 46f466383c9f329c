import { expect, test } from "vitest";
import { parseAnswer } from "./ask.ts";
import { page } from "./pod-server.ts";

test("parseAnswer() reads what page() wrote", () => {
  const body = page({ pod: "web-0", cluster: "amber", marker: "m" }, "242.2.1.10");
  expect(parseAnswer(JSON.stringify({ status: 200, address: "242.192.0.1", body }))).toEqual({
    address: "242.192.0.1",
    pod: "web-0",
    cluster: "amber",
    client: "242.2.1.10",
    body,
  });
});

test("parseAnswer() leaves empty what a stranger does not say", () => {
  expect(parseAnswer(JSON.stringify({ address: "10.0.0.1", body: "<html>" }))).toMatchObject({ pod: "", client: "" });
});

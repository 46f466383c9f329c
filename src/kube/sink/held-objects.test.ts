import { expect, test } from "vitest";
import { heldOf } from "./held.ts";
import { HeldObjects } from "./held-objects.ts";

const object = (resourceVersion: string) => ({
  metadata: { namespace: "shop", name: "web", uid: "u", resourceVersion },
});

function known() {
  const told: (string | undefined)[] = [];
  const objects = new HeldObjects(
    (one) => heldOf(one, () => ""),
    (_, __, after) => told.push(after?.meta.resourceVersion),
  );
  return { objects, told };
}

test("an older version than what is known changes nothing", () => {
  const { objects, told } = known();
  objects.put("shop/web", object("12"));
  expect(objects.put("shop/web", object("11"))?.meta.resourceVersion).toBe("12");
  expect(told).toEqual(["12"]);
});

test("the answer to a write that comes after its object was deleted does not bring it back", () => {
  const { objects, told } = known();
  objects.put("shop/web", object("10"));
  objects.remove("shop/web");
  expect(objects.answered("shop/web", object("10"))).toBeUndefined();
  expect(objects.get("shop/web")).toBeUndefined();
  expect(told).toEqual(["10", undefined]);
});

test("an object that is made again is known again, also by an API server that was restored and is older", () => {
  const { objects } = known();
  objects.put("shop/web", object("10"));
  objects.remove("shop/web");
  expect(objects.answered("shop/web", object("14"))?.meta.resourceVersion).toBe("14");
  objects.remove("shop/web");
  objects.put("shop/web", object("9"));
  expect(objects.get("shop/web")?.meta.resourceVersion).toBe("9");
});

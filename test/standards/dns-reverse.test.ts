import { describe, expect, test } from "vitest";
import type { Cidr } from "#values";
import { endpoint, headless } from "../../src/dns/example-services.ts";
import { ENGINES, serve, Z } from "./dns-server.ts";

describe.each(ENGINES)("reverse zones, UDP by %s", (engine) => {
  const service = headless([
    endpoint("p0", "amber", ["242.1.3.7", "fd00:aa::7"]),
    endpoint("p1", "birch", ["242.2.0.1"]),
  ]);
  const PTR = "7.3.1.242.in-addr.arpa";

  test("come and go while the responder runs, services put before included", async () => {
    await using server = await serve(engine, [service]);
    expect(await server.ask(PTR, "PTR")).toMatchObject({ rcode: "REFUSED", authorities: [] });
    await server.update([{ kind: "reverse", networks: ["242.0.0.0/8", "fd00:aa::/32"] as Cidr[] }]);
    expect(await server.ask(PTR, "PTR")).toMatchObject({
      rcode: "NOERROR",
      authoritative: true,
      answers: [`${PTR} 5 PTR p0.amber.db.shop.svc.${Z}`],
    });
    const six = `7${".0".repeat(23)}.a.a.0.0.0.0.d.f.ip6.arpa`;
    expect((await server.ask(six, "PTR")).answers).toEqual([`${six} 5 PTR p0.amber.db.shop.svc.${Z}`]);
    for (const name of ["3.1.242.in-addr.arpa", "1.242.in-addr.arpa", "0.0.a.a.0.0.0.0.d.f.ip6.arpa"]) {
      expect(await server.ask(name, "PTR")).toMatchObject({ rcode: "NOERROR", answers: [] });
    }
    expect((await server.ask("8.3.1.242.in-addr.arpa", "PTR")).rcode).toBe("NXDOMAIN");
    await server.update([{ kind: "reverse", networks: ["242.2.0.0/16"] as Cidr[] }]);
    expect((await server.ask(PTR, "PTR")).rcode).toBe("REFUSED");
    expect((await server.ask("1.0.2.242.in-addr.arpa", "PTR")).answers).toHaveLength(1);
  });

  test("a service that changes or goes takes its addresses' names along", async () => {
    const networks = ["242.0.0.0/8"] as Cidr[];
    await using server = await serve(engine, [service], { changes: [{ kind: "reverse", networks }] });
    expect((await server.ask(PTR, "PTR")).answers).toHaveLength(1);
    const moved = { ...service, endpoints: [endpoint("p0", "amber", ["242.1.3.8"])] };
    await server.update([{ kind: "service", service: moved }]);
    expect((await server.ask(PTR, "PTR")).rcode).toBe("NXDOMAIN");
    expect((await server.ask("8.3.1.242.in-addr.arpa", "PTR")).answers).toHaveLength(1);
    await server.update([{ kind: "remove", namespace: "shop", name: "db" }]);
    expect((await server.ask("1.242.in-addr.arpa", "PTR")).rcode).toBe("NXDOMAIN");
  });
});

import { createServer, Packet } from "dns2";
import { serviceAddress, serviceName, TTL } from "./dns-workload.ts";

// The server of the package dns2, as its manual has it: `dns2-server.ts PORT SERVICES`; prints `ready`.
if (import.meta.main) {
  const [port = 0, services = 0] = process.argv.slice(2).map(Number);
  const addresses = new Map(Array.from({ length: services }, (_, i) => [serviceName(i), serviceAddress(i)]));
  const server = createServer({
    udp: true,
    handle: (request, send) => {
      const response = Packet.createResponseFromRequest(request);
      const [question] = request.questions;
      const address = question === undefined ? undefined : addresses.get(question.name.toLowerCase());
      response.header.aa = 1;
      if (question === undefined || address === undefined) response.header.rcode = 3;
      else {
        response.answers.push(Packet.createResourceFromQuestion(question, { ttl: TTL, address }));
      }
      send(response);
    },
  });
  await server.listen({ udp: { port, address: "127.0.0.1" } });
  process.stdout.write("ready\n");
}

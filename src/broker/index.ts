export { type Broker, type BrokerOptions, openBroker } from "./broker.ts";
export { brokerRoutes } from "./routes.ts";

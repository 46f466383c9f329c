export { type Broker, type BrokerOptions, openBroker } from "./broker.ts";
export { type Restored, type RestoreAsk, restore } from "./restore.ts";
export { brokerRoutes } from "./routes.ts";

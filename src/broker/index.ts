export { type Broker, type BrokerOptions, openBroker } from "./broker.ts";
export { type RestoreAsk, type Restored, restore } from "./restore.ts";
export { brokerRoutes } from "./routes.ts";

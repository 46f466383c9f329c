export { type Backoff, backoffMs } from "./backoff.ts";
export { type Clock, systemClock } from "./clock.ts";
export { type CommandFault, type CommandOptions, describeFault, runCommand } from "./command.ts";
export { Latest } from "./latest.ts";
export { createLog, type Log, type LogFormat, type LogLevel, silentLog } from "./log.ts";
export { aborted, isAbort, type Room, runAll } from "./room.ts";
export { Secret } from "./secret.ts";
export { slices } from "./slices.ts";
export { type Severity, type Trouble, Troubles } from "./trouble.ts";

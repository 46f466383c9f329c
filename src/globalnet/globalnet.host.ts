import { afterAll } from "vitest";
import { globalnetContract } from "./globalnet-contract.ts";
import { HostLab } from "./host-lab.ts";
import { systemNft } from "./nft.ts";

const lab = new HostLab(`gc${process.pid}`);
let spaces = 0;

afterAll(() => lab[Symbol.asyncDispose]());

globalnetContract(async () => {
  spaces += 1;
  return systemNft(["ip", "netns", "exec", await lab.space(`s${spaces}`)]);
}, 30);

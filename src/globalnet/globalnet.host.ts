import { afterAll } from "vitest";
import { systemNft } from "./nft.ts";
import { globalnetContract } from "./testbed-contract.ts";
import { HostLab } from "./testbed-lab.ts";

const lab = new HostLab(`gc${process.pid}`);
let spaces = 0;

afterAll(() => lab[Symbol.asyncDispose]());

globalnetContract(async () => {
  spaces += 1;
  return systemNft(["ip", "netns", "exec", await lab.space(`s${spaces}`)]);
}, 30);

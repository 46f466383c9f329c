import { createRun, createUnderlay, findNodeTools, raiseKubeCluster } from "#lab";
import { expect, parseCidr } from "#values";

/** Raises a cluster of one node and does nothing more: somebody ends this process. Says the folder of its run first,
 *  and then that the cluster is up. */
const run = await createRun();
process.stdout.write(`${run.folder}\n`);
const [podCidr, serviceCidr] = [expect(parseCidr("10.244.0.0/16")), expect(parseCidr("10.96.0.0/16"))];
const tools = expect(await findNodeTools());
await raiseKubeCluster(await createUnderlay(run), { name: "birch", index: 1, podCidr, serviceCidr, tools });
process.stdout.write("up\n");
setInterval(() => {}, 60_000);

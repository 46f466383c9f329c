import { joinScene, type Run, raiseScene } from "#lab";
import { keepUp } from "./keep.ts";
import { tellStory } from "./story.ts";
import type { Teller } from "./teller.ts";

export interface ThreeClusters {
  /** Leave everything up at the end, and say what to try. */
  readonly keep: boolean;
  /** Whether this process is root only in a user namespace. */
  readonly userNamespace: boolean;
}

/** threeClusters builds them of namespaces, without Kubernetes, and tells the story. */
export async function threeClusters(run: Run, teller: Teller, { keep, userNamespace }: ThreeClusters): Promise<void> {
  teller.chapter("Three clusters with the same addresses");
  teller.say(
    "amber, birch and cedar: namespaces with a node (cedar: three), pods with real servers, a kube-proxy and a CNI each",
  );
  const scene = await raiseScene(run, { cedarNodes: 3 });
  const set = await joinScene(scene, (line) => teller.say(line));
  teller.proved("a broker and three gateways are ready");
  await tellStory(set, teller);
  if (!keep) return;
  teller.chapter("Everything stays up. To try");
  for (const command of await keepUp(set, userNamespace)) teller.say(command);
  teller.say("and to remove it: make demo DOWN=1");
}

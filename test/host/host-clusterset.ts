import { type Clusterset, createRun, joinScene, raiseScene, type Scene, sweepRun } from "#lab";

/** Raised is the scene of the demonstration, up for the tests of one file. */
export interface Raised {
  readonly scene: Scene;
  readonly set: Clusterset;
  /** down removes all of it, also after a failure. */
  readonly down: () => Promise<void>;
}

/** raise builds three clusters with equal addresses and has them join. What was built goes again when it fails. */
export async function raise(): Promise<Raised> {
  const run = await createRun();
  const down = (): Promise<void> => sweepRun(run);
  try {
    const scene = await raiseScene(run);
    return { scene, set: await joinScene(scene, () => {}), down };
  } catch (error) {
    await down();
    throw error;
  }
}

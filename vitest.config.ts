import { defineConfig } from "vitest/config";

/** Five projects: `unit` needs nothing but Node; `host` makes network namespaces, and its files run one at a time, since
 *  many measure time; `kube` needs a Kubernetes (`make kube-tools`), and two of its files run at a time, each with API
 *  servers of its own; `nodes` needs one with nodes (`make kube-node-tools`); `long` has what takes minutes, for
 *  `make prove`. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{src,lab,demo,deploy,bench,prove}/**/*.test.ts", "test/**/*.test.ts"],
          testTimeout: 30_000,
          // Importing does nothing (rule 10), so files share the modules of their worker: 0.2 s of CPU less for each.
          isolate: false,
        },
      },
      {
        test: {
          name: "host",
          include: ["{src,lab,demo,bench,prove,test}/**/*.host.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "kube",
          include: ["test/**/*.kube.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: "nodes",
          include: ["test/**/*.nodes.ts"],
          testTimeout: 120_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "long",
          include: ["{src,test}/**/*.long.ts"],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});

import { describe, expect, test } from "vitest";
import { cgroupFolders } from "./cgroups.ts";

const V1_MOUNTS = `23 1 0:21 / /sys rw,relatime - sysfs sysfs rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime shared:9 - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;

describe("cgroupFolders()", () => {
  test("finds one folder in every hierarchy of v1, and leaves the v2 beside them", () => {
    const own = "4:memory:/session/a:b\n2:cpu,cpuacct:/\n1:name=systemd:/user.slice\n0::/session\n";
    expect(cgroupFolders(own, V1_MOUNTS)).toEqual([
      "/sys/fs/cgroup/memory/session/a:b",
      "/sys/fs/cgroup/cpu,cpuacct",
      "/sys/fs/cgroup/systemd/user.slice",
    ]);
  });

  test("counts from what a mount shows, which in a container is its own cgroup", () => {
    const mounts = "35 31 0:32 /docker/f00 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
    expect(cgroupFolders("4:memory:/docker/f00/inner\n", mounts)).toEqual(["/sys/fs/cgroup/memory/inner"]);
  });

  test("gives the root of v2, wherever the caller is", () => {
    const mounts = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
    expect(cgroupFolders("0::/user.slice/session-1.scope\n", mounts)).toEqual(["/sys/fs/cgroup"]);
  });

  test("leaves out a hierarchy that is mounted nowhere", () => {
    expect(cgroupFolders("7:pids:/\n4:memory:/\n", V1_MOUNTS)).toEqual(["/sys/fs/cgroup/memory"]);
  });
});

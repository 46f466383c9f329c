import type { Cidr, Ip } from "#values";
import { IMAGES } from "./images.ts";

/** What the programs of a node are told. All of them read JSON where their manuals say YAML. */

/** renderCni is the network of a node's pods: a bridge `cni0`, masqueraded (CNI specification 1.0.0). */
export function renderCni(podRange: Cidr): string {
  const ipam = { type: "host-local", ranges: [[{ subnet: podRange }]], dataDir: "/var/lib/cni/networks" };
  const bridge = { type: "bridge", bridge: "cni0", isDefaultGateway: true, ipMasq: true, hairpinMode: true, ipam };
  const ports = { type: "portmap", capabilities: { portMappings: true } };
  return JSON.stringify({ cniVersion: "1.0.0", name: "lab", plugins: [bridge, ports] });
}

/** renderContainerd is for a container runtime that may not lower anybody's oom_score_adj. */
export function renderContainerd(snapshotter: "overlayfs" | "native"): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[${cri}]
  sandbox_image = "${IMAGES.pause}"
  disable_apparmor = true
  restrict_oom_score_adj = true
[${cri}.containerd]
  snapshotter = "${snapshotter}"
  default_runtime_name = "runc"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
[${cri}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "/etc/cni/net.d"
`;
}

/** renderKubelet is for a node whose API server nobody else can be, and whose disk is the machine's: it trusts whoever
 *  asks, and evicts no pod for want of room. ConfigMaps reach their pods in about two seconds. */
export function renderKubelet(clusterDns: Ip): string {
  return JSON.stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
    cgroupDriver: "cgroupfs",
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: "AlwaysAllow" },
    clusterDNS: [clusterDns],
    clusterDomain: "cluster.local",
    evictionHard: {
      "nodefs.available": "0%",
      "nodefs.inodesFree": "0%",
      "imagefs.available": "0%",
      "memory.available": "50Mi",
    },
    imageGCHighThresholdPercent: 100,
    localStorageCapacityIsolation: false,
    volumePluginDir: "/var/lib/kubelet/volume-plugins",
    configMapAndSecretChangeDetectionStrategy: "Watch",
    syncFrequency: "2s",
  });
}

/** renderKubeProxy leaves the limits of conntrack alone, which are the machine's. */
export function renderKubeProxy(node: string, podCidr: Cidr, kubeconfig: string): string {
  return JSON.stringify({
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "nftables",
    clientConnection: { kubeconfig },
    hostnameOverride: node,
    clusterCIDR: podCidr,
    oomScoreAdj: 0,
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  });
}

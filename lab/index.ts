export { type Answer, askUdp, get, getOnce, parseAnswer, ping, resolve, startDownload } from "./ask.ts";
export { type Capture, type Reading, readFrames, startCapture } from "./capture.ts";
export { busiestOf, carrierOf } from "./carrier.ts";
export { CheckFault, demand, take } from "./checks/demand.ts";
export { type Accident, checkAccident, type Downloaded } from "./checks/download.ts";
export { checkExporters, type Shares } from "./checks/exporters.ts";
export { checkLatency, type Latency } from "./checks/latency.ts";
export { addSecondGateway, type Behind, checkNodeLoss, type NodeLoss } from "./checks/node-loss.ts";
export {
  type Allocation,
  checkPrefixes,
  checkServiceAddress,
  globalAddress,
  listAllocations,
  type Prefixes,
  prefixesFrom,
  SUPERNET,
  seenAs,
} from "./checks/prefixes.ts";
export { checkName, checkPage, checkPing, checkPlainPage, checkUdp, type Reach } from "./checks/reach.ts";
export { checkSealed } from "./checks/sealed.ts";
export { type Cluster, type ClusterNode, type ClusterSpec, createCluster, firstNode } from "./cluster.ts";
export { type Clusterset, joinScene, restartGateway } from "./clusterset.ts";
export { eventually, type Patience } from "./eventually.ts";
export { type ExecOptions, exec, inside, ipBatch, mustExec } from "./exec.ts";
export { type Footprint, footprint, leftovers } from "./footprint.ts";
export { freePort } from "./free-port.ts";
export { endOf, type Job, linesOf, spawnIn, stopJob, waitForLine } from "./job.ts";
export { type ControlPlane, startControlPlane, type Write } from "./kube/control-plane.ts";
export { findCoreDns } from "./kube/coredns.ts";
export { findHelm } from "./kube/helm.ts";
export { IMAGES } from "./kube/images.ts";
export { type KubeClient, kubeClient, type UserObject } from "./kube/kube-client.ts";
export { type KubeCluster, type KubeClusterSpec, raiseKubeCluster } from "./kube/kube-cluster.ts";
export type { KubeNode } from "./kube/kube-node.ts";
export {
  installIn,
  KUBE_PODS,
  type KubeNetworks,
  type KubeSet,
  pageFrom,
  raiseKubeSet,
  uninstallIn,
} from "./kube/kube-set.ts";
export { findNodeTools, type NodeTools } from "./kube/node-tools.ts";
export { findKubeTools, type KubeTools } from "./kube/tools.ts";
export { installKubeProxy, type NodeNetwork, renderKubeProxy, type ServicePort } from "./kube-proxy.ts";
export { type Manifest, manifestFolder, removeManifests, writeManifests } from "./manifests.ts";
export { loseNode, reviveNode } from "./node-loss.ts";
export { type Frame, parsePcap } from "./pcap.ts";
export { createPlace, type Place } from "./place.ts";
export { startPlainNode } from "./plain-node.ts";
export { addPod, POD_HTTP_PORT, POD_UDP_PORT, type Pod, type PodSpec, runPodServer } from "./pod.ts";
export { processesIn, processesOf } from "./processes.ts";
export {
  type Daemon,
  type GatewayOptions,
  HTTP_ADDRESS,
  invite,
  isReadyLine,
  PROGRAM,
  startBroker,
  startGateway,
  startNode,
  verb,
  verbJson,
} from "./program.ts";
export { aptCommand, describeMissing, type ExtraProgram, missingPrograms, requirePrograms } from "./require.ts";
export { enterUserNamespace, findRights, type Rights } from "./rights.ts";
export { createRun, keepRun, listRuns, type Run, type RunRecord, removeFolder } from "./run.ts";
export {
  CLUSTERS,
  type ClusterName,
  exportCedarWeb,
  NAMESPACE,
  nameOf,
  POD_CIDR,
  raiseScene,
  type Scene,
  SERVICE_CIDR,
  WEB_CLUSTER_IP,
} from "./scene.ts";
export {
  type Backend,
  fileOf,
  installServices,
  type LabService,
  manifestsOf,
  namespacesOf,
  servicePorts,
} from "./service.ts";
export {
  plainNode,
  raiseSiblings,
  reviveGateway,
  type SiblingCluster,
  type SiblingScene,
  type SiblingSpec,
  settled,
} from "./sibling-scene.ts";
export { type Stream, type StreamAsk, startStream } from "./stream.ts";
export { isLeftover, sweep, sweepRun } from "./sweep.ts";
export { TestClock, turns, until } from "./test-clock.ts";
export type { Streamed } from "./udp-stream.ts";
export { attachNode, createUnderlay, cutNode, UNDERLAY, UNDERLAY_ADDRESS } from "./underlay.ts";

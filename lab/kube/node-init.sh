# Pid 1 of a node: makes the mounts by which it is a machine of its own, and then reaps. What is mounted here ends with it.
# $1 is the node's folder, which has var-lib/, var-log/ and cni.conflist; $2 is the DNS server that it asks.
set -e

# The machine's /sys shows the machine's links, and its cgroups the machine's processes.
while umount -R /sys 2> /dev/null; do :; done
mount -t sysfs sysfs /sys
if grep -q '^[0-9]*:[^:]' /proc/self/cgroup; then
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  while IFS=: read -r _ controllers _; do
    [ -n "$controllers" ] || continue
    case $controllers in name=*) options=none,$controllers ;; *) options=$controllers ;; esac
    mkdir "/sys/fs/cgroup/${controllers#name=}"
    mount -t cgroup -o "$options" cgroup "/sys/fs/cgroup/${controllers#name=}"
  done < /proc/self/cgroup
else
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  mkdir /sys/fs/cgroup/programs # only a cgroup without processes shares out
  echo $$ > /sys/fs/cgroup/programs/cgroup.procs
  for one in $(cat /sys/fs/cgroup/cgroup.controllers); do
    echo "+$one" > /sys/fs/cgroup/cgroup.subtree_control || true
  done
fi

# Whatever is written to the machine's folders stays in the node's.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/lock /run/lab/etc /run/lab/work
mount -t overlay -o lowerdir=/etc,upperdir=/run/lab/etc,workdir=/run/lab/work overlay /etc
mount --bind "$1/var-lib" /var/lib
mount --bind "$1/var-log" /var/log
rm -f /etc/resolv.conf # it may be a link to a file that is not here
echo "nameserver $2" > /etc/resolv.conf
mkdir -p /etc/cni/net.d
cp "$1/cni.conflist" /etc/cni/net.d/10-lab.conflist

# The kubelet sets these for the whole machine: it finds files that already hold what it wants.
while read -r name value; do
  mkdir -p "/run/lab/${name%/*}"
  echo "$value" > "/run/lab/$name"
  [ ! -e "/proc/sys/$name" ] || mount --bind "/run/lab/$name" "/proc/sys/$name"
done << 'SYSCTLS'
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
SYSCTLS

# Pods may share mounts with their node; every mount is a group of its own, or one would show in several places.
mount --make-rprivate /
mount --make-rshared /
echo ready
while :; do
  sleep 86400 &
  wait
done

# Meridian: what a user, a developer and CI run. Everything needed is brought by `make setup` and lab/require.ts.
NODE := node_modules/.bin/node
VITEST := $(NODE) node_modules/vitest/vitest.mjs run
BIOME := node_modules/@biomejs/cli-linux-$(subst x86_64,x64,$(subst aarch64,arm64,$(shell uname -m)))/biome

.PHONY: help setup demo demo-kube test check prove bench image helm wireguard-go kube-tools kube-node-tools clean
help:
	@echo "make demo          three clusters with equal addresses talk by name (KEEP=1 leaves them up, DOWN=1 removes them)"
	@echo "make demo-kube     the same with two real Kubernetes clusters and pods (after make kube-tools kube-node-tools)"
	@echo "make test          every test; under ten minutes on two cores"
	@echo "make check         types, lint and house rules"
	@echo "make bench         benchmarks, as ratios of interleaved pairs"
	@echo "make prove         every figure that is promised, measured beside required"
	@echo "make image         build/meridian-image.tar, which docker and containerd load; without docker or a registry"
	@echo "make helm          writes the chart deploy/helm/meridian anew, from the manifests in deploy/kubernetes"
	@echo "make kube-tools    builds the Kubernetes that tests run against, once for all checkouts (needs Go)"
	@echo "make kube-node-tools  builds what whole clusters with nodes are made of, after the former, and Helm (needs Go and root)"
	@echo "make wireguard-go  builds the newest user-space WireGuard into build/ (needs Go)"

setup: node_modules/.installed

# The lockfile pins everything, Node included; no package runs a script at install.
node_modules/.installed: package.json package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

demo: setup
	$(NODE) demo/main.ts $(if $(KEEP),--keep) $(if $(DOWN),--down)

demo-kube: setup
	$(NODE) demo/main.ts --kube $(if $(KEEP),--keep)

test: setup
	$(NODE) test/main.ts

check: setup
	$(NODE) node_modules/typescript/bin/tsc -p .
	$(BIOME) check .
	$(VITEST) --project unit test/house

bench: setup
	$(NODE) bench/main.ts

prove: setup
	$(NODE) prove/main.ts

# Five times the throughput of Debian's; the demo and the tests take it when it is there.
wireguard-go:
	mkdir -p build
	GOBIN=$(CURDIR)/build go install golang.zx2c4.com/wireguard@latest
	mv build/wireguard build/wireguard-go

image: setup
	$(NODE) deploy/image/build-image.ts

# The chart is kept with the sources: whoever installs by it needs nothing but Helm.
helm: setup
	$(NODE) deploy/helm/generate.ts

kube-tools: setup
	$(NODE) lab/kube/tools.ts

kube-node-tools: setup
	$(NODE) lab/kube/node-tools.ts

clean:
	rm -rf build node_modules

# The manifests, and copies of the driver's libraries for images with another C library. Both exist from L4T 35.3 on.
# Set this to nothing on branches for L4T 32.
NVOCI_TEGRA_RECOMMENDS ?= "tegra-configs-container-csv tegra-container-passthrough"
RRECOMMENDS:${PN}:append:tegra = " ${NVOCI_TEGRA_RECOMMENDS}"
PACKAGE_ARCH:tegra = "${TEGRA_PKGARCH}"

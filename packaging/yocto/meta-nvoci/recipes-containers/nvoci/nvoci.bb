SUMMARY = "NVIDIA driver of the host for containers"
DESCRIPTION = "An OCI hook and a wrapper around runc that give containers the NVIDIA driver of their host: on Jetson \
boards what the CSV manifests list, on servers what ld.so.cache lists."
HOMEPAGE = "@HOMEPAGE@"
BUGTRACKER = "@HOMEPAGE@issues"
SECTION = "console/utils"

# OE-core reads license expressions as SPDX since it has this module; older series know only "&".
NVOCI_AND = "${@'AND' if bb.utils.which(d.getVar('BBPATH'), 'lib/oe/spdx_license.py') else '&'}"
LICENSE = "Apache-2.0 ${NVOCI_AND} MIT ${NVOCI_AND} ISC ${NVOCI_AND} BSD-3-Clause"
LIC_FILES_CHKSUM = "file://LICENSE;md5=@LICENSE_MD5@ \
                    file://quickjs/LICENSE;md5=@QUICKJS_MD5@ \
                    file://packaging/deb/copyright;md5=@COPYRIGHT_MD5@"

# The archive is in the layer. An address that replaces it is checked against the sum.
NVOCI_SRC_URI ?= "file://${BP}.tar.gz"
SRC_URI = "${NVOCI_SRC_URI}"
SRC_URI[sha256sum] = "@SHA256@"
UPSTREAM_CHECK_URI = "@HOMEPAGE@releases"

COMPATIBLE_HOST = "(x86_64|aarch64).*-linux.*"
# cve-check compares a recipe's version with every product, and QuickJS has a version of its own: -doc has a bill of
# materials that names it.
CVE_PRODUCT = "nvoci"

# A static program reads no LD_ variable. Empty: a dynamic one, for a toolchain without libc.a, which reads them.
NVOCI_LINKING ?= "-static"
NVOCI_LINKING:class-native = ""
# "1": a position-independent program, which starts more slowly. A static one needs the C library's rcrt1.o.
NVOCI_PIE ?= ""
EXTRA_OEMAKE = "'LINKING=${NVOCI_LINKING}' 'PIE=${NVOCI_PIE}'"

# "1": the package -docker-config makes "nvidia" docker's default runtime, which "docker build" needs.
NVOCI_DOCKER_DEFAULT ?= "0"
# "all" or "base": the manifests that are read, in the config.toml of the package -config, which -compat then brings.
NVOCI_CSV_MOUNTS ?= ""

do_compile() {
    oe_runmake
}

do_install() {
    oe_runmake install install-compat 'DESTDIR=${D}'
    install -d ${D}${docdir}/${BPN} ${D}${sysconfdir}/docker
    install -m 0644 ${S}/packaging/config.toml ${S}/nvoci.cdx.json ${D}${docdir}/${BPN}
    if [ "${NVOCI_DOCKER_DEFAULT}" = "1" ]; then
        install -m 0644 ${S}/packaging/docker/daemon-default.json ${D}${sysconfdir}/docker/daemon.json
    else
        install -m 0644 ${S}/packaging/docker/daemon.json ${D}${sysconfdir}/docker/daemon.json
    fi
    install -d ${D}${sysconfdir}/nvidia-container-runtime/host-files-for-container.d
    install -m 0644 ${S}/packaging/config.toml ${D}${sysconfdir}/nvidia-container-runtime/config.toml
    if [ -n "${NVOCI_CSV_MOUNTS}" ]; then
        sed -i 's/^#csv-mounts = .*/csv-mounts = "${NVOCI_CSV_MOUNTS}"/' ${D}${sysconfdir}/nvidia-container-runtime/config.toml
    fi
    install -m 0644 ${S}/packaging/yocto/l4t32.csv ${D}${sysconfdir}/nvidia-container-runtime/host-files-for-container.d/l4t.csv
}

PACKAGES =+ "${PN}-compat ${PN}-config ${PN}-docker-config ${PN}-l4t32-csv"

FILES:${PN}-compat = "${bindir}/nvidia-container-* ${datadir}/containers/oci/hooks.d"
FILES:${PN}-config = "${sysconfdir}/nvidia-container-runtime/config.toml"
CONFFILES:${PN}-config = "${sysconfdir}/nvidia-container-runtime/config.toml"
FILES:${PN}-docker-config = "${sysconfdir}/docker/daemon.json"
CONFFILES:${PN}-docker-config = "${sysconfdir}/docker/daemon.json"
FILES:${PN}-l4t32-csv = "${sysconfdir}/nvidia-container-runtime/host-files-for-container.d/l4t.csv"

SUMMARY:${PN}-compat = "nvoci as a replacement for the NVIDIA Container Toolkit"
DESCRIPTION:${PN}-compat = "The names that docker, podman, CRI-O and containerd installations call, as links to nvoci, \
and the hook file for podman and CRI-O."
SUMMARY:${PN}-config = "config.toml of nvoci"
DESCRIPTION:${PN}-config = "Every setting of nvoci as a comment that shows its default, and those that the image sets."
SUMMARY:${PN}-docker-config = "daemon.json that registers nvoci with docker"
DESCRIPTION:${PN}-docker-config = "docker's configuration with the runtime nvidia, for images in which no other recipe \
owns it."
SUMMARY:${PN}-l4t32-csv = "Manifest of the device nodes of L4T 32"
DESCRIPTION:${PN}-l4t32-csv = "The l4t.csv that meta-tegra's nvidia-container-runtime contains on branches for L4T 32."

# docker, podman and containerd each bring their own runtime; an image needs no other.
RRECOMMENDS:${PN}:class-target = "${@d.getVar('VIRTUAL-RUNTIME_container_runtime') or ''}"
RDEPENDS:${PN}-compat = "${PN} (= ${EXTENDPKGV})"
RPROVIDES:${PN}-compat = "nvidia-container-runtime nvidia-container-toolkit"
RREPLACES:${PN}-compat = "nvidia-container-runtime nvidia-container-toolkit"
RCONFLICTS:${PN}-compat = "nvidia-container-runtime nvidia-container-toolkit"
RRECOMMENDS:${PN}-compat = "${@'${PN}-config' if d.getVar('NVOCI_CSV_MOUNTS') else ''}"
# NVIDIA's toolkit has a config.toml too, and -compat excludes it.
RDEPENDS:${PN}-config = "${PN}-compat"
RDEPENDS:${PN}-docker-config = "${PN}-compat"
RCONFLICTS:${PN}-docker-config = "nvidia-docker docker-registry-config"

BBCLASSEXTEND = "native"

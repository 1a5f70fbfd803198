SUMMARY = "NVIDIA driver of the host for containers"
DESCRIPTION = "An OCI hook and a wrapper around runc that give containers the NVIDIA driver of their host: on Jetson \
boards what the CSV manifests list, on servers what ld.so.cache lists."
SECTION = "console/utils"

# License expressions are SPDX from wrynose on.
NVOCI_AND = "${@bb.utils.contains_any('LAYERSERIES_CORENAMES', '@AMPERSAND_SERIES@', '&', 'AND', d)}"
LICENSE = "Apache-2.0 ${NVOCI_AND} MIT ${NVOCI_AND} ISC ${NVOCI_AND} BSD-3-Clause"
LIC_FILES_CHKSUM = "file://LICENSE;md5=@LICENSE_MD5@ \
                    file://quickjs/LICENSE;md5=@QUICKJS_MD5@ \
                    file://packaging/deb/copyright;md5=@COPYRIGHT_MD5@"

# The archive is in the layer. An address that replaces it is checked against the sum.
NVOCI_SRC_URI ?= "file://${BP}.tar.gz"
SRC_URI = "${NVOCI_SRC_URI}"
SRC_URI[sha256sum] = "@SHA256@"

COMPATIBLE_HOST = "(x86_64|aarch64).*-linux.*"
CVE_PRODUCT = "nvoci"

# A static program reads no LD_ variable of an image. Empty: a dynamic one, for a toolchain without libc.a.
NVOCI_LINKING ?= "-static"
NVOCI_LINKING:class-native = ""
EXTRA_OEMAKE = "'LINKING=${NVOCI_LINKING}'"

# "1": the package -docker-config makes "nvidia" docker's default runtime, which "docker build" needs.
NVOCI_DOCKER_DEFAULT ?= "0"

do_compile() {
    oe_runmake
}

do_install() {
    oe_runmake install install-compat 'DESTDIR=${D}'
    install -d ${D}${docdir}/${BPN} ${D}${sysconfdir}/docker
    install -m 0644 ${S}/packaging/config.toml ${D}${docdir}/${BPN}/config.toml
    if [ "${NVOCI_DOCKER_DEFAULT}" = "1" ]; then
        install -m 0644 ${S}/packaging/docker/daemon-default.json ${D}${sysconfdir}/docker/daemon.json
    else
        install -m 0644 ${S}/packaging/docker/daemon.json ${D}${sysconfdir}/docker/daemon.json
    fi
}

PACKAGES =+ "${PN}-compat ${PN}-docker-config"

FILES:${PN}-compat = "${bindir}/nvidia-container-* ${datadir}/containers/oci/hooks.d"
FILES:${PN}-docker-config = "${sysconfdir}/docker/daemon.json"
CONFFILES:${PN}-docker-config = "${sysconfdir}/docker/daemon.json"

# docker, podman and containerd each bring their own runtime; an image needs no other.
RRECOMMENDS:${PN}:class-target = "${@d.getVar('VIRTUAL-RUNTIME_container_runtime') or ''}"
RDEPENDS:${PN}-compat = "${PN} (= ${EXTENDPKGV})"
RPROVIDES:${PN}-compat = "nvidia-container-runtime nvidia-container-toolkit"
RREPLACES:${PN}-compat = "nvidia-container-runtime nvidia-container-toolkit"
RCONFLICTS:${PN}-compat = "nvidia-container-runtime nvidia-container-toolkit"
RDEPENDS:${PN}-docker-config = "${PN}-compat"
RCONFLICTS:${PN}-docker-config = "nvidia-docker docker-registry-config"

BBCLASSEXTEND = "native"

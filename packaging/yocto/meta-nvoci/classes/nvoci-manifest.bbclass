# Writes a CSV mount manifest of what an image has installed. Inherit it in the image's recipe:
#
#   inherit nvoci-manifest
#   NVOCI_MANIFEST_PATTERNS = "/usr/lib/libcudnn*.so* /usr/local/cuda*"
#   NVOCI_MANIFEST_EXCLUDE = "*.a libv4l2rds*"
#
# Patterns are paths in the image. One that matches nothing fails the build. NVOCI_MANIFEST names the file. From L4T 34
# on nvoci reads only l4t.csv, drivers.csv and devices.csv, unless config.toml or the container requests all.

NVOCI_MANIFEST_PATTERNS ?= ""
NVOCI_MANIFEST_EXCLUDE ?= ""
NVOCI_MANIFEST ?= "${sysconfdir}/nvidia-container-runtime/host-files-for-container.d/image.csv"

do_rootfs[depends] += "nvoci-native:do_populate_sysroot"

nvoci_generate_manifest() {
    # nvoci expands the patterns, in the image.
    set -f
    exclude=""
    for pattern in ${NVOCI_MANIFEST_EXCLUDE}; do
        exclude="$exclude --exclude $pattern"
    done
    install -d "$(dirname ${IMAGE_ROOTFS}${NVOCI_MANIFEST})"
    nvoci manifest generate --root ${IMAGE_ROOTFS} $exclude ${NVOCI_MANIFEST_PATTERNS} \
        > ${IMAGE_ROOTFS}${NVOCI_MANIFEST}
    set +f
}
ROOTFS_POSTPROCESS_COMMAND += "nvoci_generate_manifest; "

# Writes a CSV mount manifest of what an image has installed. Inherit it in the image's recipe:
#
#   inherit nvoci-manifest
#   NVOCI_MANIFEST_PATTERNS = "/usr/lib/libcudnn*.so* /usr/local/cuda*"
#   NVOCI_MANIFEST_EXCLUDE = "*.a libv4l2rds*"
#
# Patterns are paths in the image. One that matches nothing fails the build. NVOCI_MANIFEST names the file. If a recipe
# has installed that file, its lines stay and what they lack is added; a path that it lists as another type, and
# anything but a file, fail the build. From L4T 34 on nvoci reads only l4t.csv, drivers.csv and devices.csv, unless
# NVOCI_CSV_MOUNTS or the container requests all.

NVOCI_MANIFEST_PATTERNS ?= ""
NVOCI_MANIFEST_EXCLUDE ?= ""
NVOCI_MANIFEST ?= "${sysconfdir}/nvidia-container-runtime/host-files-for-container.d/image.csv"

do_rootfs[depends] += "nvoci-native:do_populate_sysroot"

nvoci_generate_manifest() {
    manifest="${IMAGE_ROOTFS}${NVOCI_MANIFEST}"
    if [ -L "$manifest" ] || { [ -e "$manifest" ] && [ ! -f "$manifest" ]; }; then
        bbfatal "Cannot write \"${NVOCI_MANIFEST}\": the image has something else there; set NVOCI_MANIFEST to another name"
    fi
    # nvoci expands the patterns, in the image.
    set -f
    exclude=""
    for pattern in ${NVOCI_MANIFEST_EXCLUDE}; do
        exclude="$exclude --exclude $pattern"
    done
    install -d "$(dirname "$manifest")"
    nvoci manifest generate --root ${IMAGE_ROOTFS} $exclude ${NVOCI_MANIFEST_PATTERNS} > "$manifest.new"
    set +f
    touch "$manifest"
    awk '
        { type = path = $0; sub(/[ \t]*,.*/, "", type); sub(/^[ \t]+/, "", type); sub(/^[^,]*,[ \t]*/, "", path); sub(/[ \t\r]+$/, "", path) }
        FILENAME == ARGV[1] { listed[path] = type; next }
        !(path in listed) { print; next }
        listed[path] != type { print path " is a " listed[path] " there, and a " type " in the image" > "/dev/stderr"; clash = 1 }
        END { exit clash }
    ' "$manifest" "$manifest.new" > "$manifest.more" || bbfatal "Cannot add to \"${NVOCI_MANIFEST}\": it lists a path as another type; set NVOCI_MANIFEST to another name"
    # The last line of the recipe's file may have no line feed.
    [ -z "$(tail -c 1 "$manifest")" ] || echo >> "$manifest"
    cat "$manifest.more" >> "$manifest"
    rm "$manifest.new" "$manifest.more"
}
ROOTFS_POSTPROCESS_COMMAND += "nvoci_generate_manifest; "

# Packages the CSV mount manifest of what a recipe installs, as ${PN}-container-csv, for boards. Recipes that inherited
# meta-tegra's container-runtime-csv keep their variables:
#
#   inherit nvoci-container-csv
#   CONTAINER_CSV_FILES = "${libdir}/libcudnn*.so* ${prefix}/local/cuda-*"
#
# Patterns are paths below ${D}, with or without a slash at the front. A link to a directory is listed as a link, lines
# are sorted, and the files of other recipes stay.

CONTAINER_CSV_FILES ??= "${libdir}/*.so*"
CONTAINER_CSV_EXCLUDE_FILES ??= ""
# Literal lines, separated by \n.
CONTAINER_CSV_EXTRA ??= ""
# Replaces /usr/lib/ at the front of listed paths.
CONTAINER_CSV_LIB_PATH ??= ""
CONTAINER_CSV_BASENAME ??= "${PN}"
CONTAINER_CSV_PKGNAME ?= "${CONTAINER_CSV_BASENAME}-container-csv"
CONTAINER_CSV_PATH ?= "${sysconfdir}/nvidia-container-runtime/host-files-for-container.d/${PN}.csv"

# Only the target's variant has the override "tegra".
NVOCI_CSV_DEPENDS = ""
NVOCI_CSV_DEPENDS:tegra = "nvoci-native"
DEPENDS += "${NVOCI_CSV_DEPENDS}"

nvoci_container_csv() {
    # The shell expands patterns only to see whether there is a match; nvoci expands them in the image.
    set -f
    patterns=""
    for pattern in ${CONTAINER_CSV_FILES}; do
        pattern="/${pattern#/}"
        set +f
        set -- ${D}$pattern
        set -f
        if [ -e "$1" ] || [ -L "$1" ]; then
            patterns="$patterns $pattern"
        else
            bbwarn "nvoci-container-csv: $pattern matches nothing that ${PN} installs"
        fi
    done
    exclude=""
    for pattern in ${CONTAINER_CSV_EXCLUDE_FILES}; do
        exclude="$exclude --exclude $pattern"
    done
    manifest="${D}${CONTAINER_CSV_PATH}"
    extra='${CONTAINER_CSV_EXTRA}'
    if [ -n "$patterns$extra" ]; then
        install -d "$(dirname "$manifest")"
        : > "$manifest"
    fi
    if [ -n "$patterns" ]; then
        nvoci manifest generate --root ${D} $exclude $patterns > "$manifest"
        if [ -n "${CONTAINER_CSV_LIB_PATH}" ]; then
            sed -i -e '\#, ${CONTAINER_CSV_LIB_PATH}#b' -e 's#, /usr/lib/#, ${CONTAINER_CSV_LIB_PATH}#' "$manifest"
        fi
    fi
    if [ -n "$extra" ]; then
        printf '%b\n' "$extra" >> "$manifest"
    fi
    set +f
}
NVOCI_CSV_FUNCTION = ""
NVOCI_CSV_FUNCTION:tegra = "nvoci_container_csv"
do_install[postfuncs] += "${NVOCI_CSV_FUNCTION}"

PACKAGES:prepend:tegra = "${CONTAINER_CSV_PKGNAME} "
FILES:${CONTAINER_CSV_PKGNAME} = "${CONTAINER_CSV_PATH}"
RRECOMMENDS:${PN}:append:tegra = " ${@bb.utils.contains('DISTRO_FEATURES', 'virtualization', d.getVar('CONTAINER_CSV_PKGNAME'), '', d)}"

# Packages the CSV mount manifest of what a recipe installs, as ${PN}-container-csv. Recipes that inherited meta-tegra's
# container-runtime-csv keep their variables:
#
#   inherit nvoci-container-csv
#   CONTAINER_CSV_FILES = "${libdir}/libcudnn*.so* ${prefix}/local/cuda-*"
#
# Patterns are paths below ${D}. A pattern that matches nothing fails the build. A link to a directory is listed as a
# link, lines are sorted, and the files of other recipes stay.

CONTAINER_CSV_FILES ?= "${libdir}/*.so*"
CONTAINER_CSV_EXCLUDE_FILES ?= ""
# Literal lines, separated by \n.
CONTAINER_CSV_EXTRA ?= ""
CONTAINER_CSV_BASENAME ?= "${PN}"
CONTAINER_CSV_PKGNAME ?= "${CONTAINER_CSV_BASENAME}-container-csv"
CONTAINER_CSV_PATH ?= "${sysconfdir}/nvidia-container-runtime/host-files-for-container.d/${PN}.csv"

DEPENDS += "nvoci-native"

nvoci_container_csv() {
    # nvoci expands the patterns, in the image.
    set -f
    exclude=""
    for pattern in ${CONTAINER_CSV_EXCLUDE_FILES}; do
        exclude="$exclude --exclude $pattern"
    done
    install -d "$(dirname ${D}${CONTAINER_CSV_PATH})"
    nvoci manifest generate --root ${D} $exclude ${CONTAINER_CSV_FILES} > ${D}${CONTAINER_CSV_PATH}
    extra='${CONTAINER_CSV_EXTRA}'
    if [ -n "$extra" ]; then
        printf '%b\n' "$extra" >> ${D}${CONTAINER_CSV_PATH}
    fi
    set +f
}
do_install[postfuncs] += "nvoci_container_csv"

PACKAGES =+ "${CONTAINER_CSV_PKGNAME}"
FILES:${CONTAINER_CSV_PKGNAME} = "${CONTAINER_CSV_PATH}"
RRECOMMENDS:${PN}:append = " ${@bb.utils.contains('DISTRO_FEATURES', 'virtualization', d.getVar('CONTAINER_CSV_PKGNAME'), '', d)}"

#!/bin/sh
# Checks meta-nvoci with bitbake, on checkouts of your own. bitbake refuses to run as root.
#
#   OECORE=… BITBAKE=… META_TEGRA=… check-layer.sh [step...]          the checkouts as they are
#   OECORE=… BITBAKE=… META_TEGRA=… check-layer.sh --series NAME [step...]
#                                         the branches of the series in the table below; the checkouts may be bare
#
# Steps; without any, all but the last two:
#   parse         all recipes of all layers parse, and the license of nvoci is well formed
#   graph         nvoci and the packages that it recommends can be built
#   swap          PREFERRED_RPROVIDER takes NVIDIA's stack out of an image (needs META_VIRTUALIZATION and META_OE)
#   manifests     the branch's own l4t.csv of L4T 32 has no device that nvoci's lacks
#   check-layer   yocto-check-layer
#   tasks         nvoci-native and nvoci are built, from fetch to package
#
# META_OE and META_VIRTUALIZATION name checkouts of meta-openembedded and meta-virtualization, for "swap". MACHINE
# replaces the table's machine, LAYERS the layers (default: those that "npm run package -- --layers-only" made), WORK the
# directory for builds. LOCAL_CONF names a file whose lines are added to local.conf: mirrors, ASSUME_PROVIDED.
set -eu

# series, its branches of openembedded-core, bitbake and meta-tegra, machine, layer. zeus' own bitbake, 1.44, does not
# start with Python 3.10 and newer.
SERIES='
zeus          zeus      1.46   zeus-l4t-r32.3.1      jetson-nano-qspi-sd     meta-nvoci-dunfell
dunfell       dunfell   1.46   dunfell               jetson-tx2-devkit       meta-nvoci-dunfell
kirkstone-r32 kirkstone 2.0    kirkstone-l4t-r32.7.x jetson-nano-devkit      meta-nvoci
kirkstone     kirkstone 2.0    kirkstone             jetson-agx-orin-devkit  meta-nvoci
scarthgap     scarthgap 2.8    scarthgap             jetson-orin-nano-devkit meta-nvoci
wrynose       wrynose   2.18   wrynose               jetson-agx-thor-devkit  meta-nvoci
master        master    master master                jetson-agx-thor-devkit  meta-nvoci
'

here=$(cd "$(dirname "$0")" && pwd)
LAYERS=${LAYERS:-$here/../../dist/packages}
WORK=${WORK:-$(pwd)/check-layer}
: "${OECORE:?names no checkout of openembedded-core}" "${BITBAKE:?names no checkout of bitbake}"
: "${META_TEGRA:?names no checkout of meta-tegra}"
META_OE=${META_OE:-}
META_VIRTUALIZATION=${META_VIRTUALIZATION:-}

fail() {
    echo "FAIL  $name: $1" >&2
    [ ! -f "$build/log" ] || tail -n 40 "$build/log" >&2
    exit 1
}

# Runs a command in the build directory, quietly.
inside() {
    (cd "$build" && "$@") >"$build/log" 2>&1
}

# export_branch CHECKOUT BRANCH NAME: prints a directory with the branch.
export_branch() {
    mkdir -p "$WORK/$name/$3"
    git -C "$1" archive "$2" | tar -x -C "$WORK/$name/$3"
    echo "$WORK/$name/$3"
}

name=checkouts
if [ "${1:-}" = --series ]; then
    name=$2
    shift 2
    row=$(echo "$SERIES" | grep "^$name ") || { echo "unknown series: $name" >&2; exit 2; }
    # shellcheck disable=SC2086
    set -- $row -- "$@"
    oecore_branch=$2 bitbake_branch=$3 tegra_branch=$4 machine=$5 layer=$6
    shift 7
    rm -rf "${WORK:?}/$name"
    OECORE=$(export_branch "$OECORE" "$oecore_branch" openembedded-core)
    BITBAKE=$(export_branch "$BITBAKE" "$bitbake_branch" bitbake)
    META_TEGRA=$(export_branch "$META_TEGRA" "$tegra_branch" meta-tegra)
    [ -z "$META_OE" ] || META_OE=$(export_branch "$META_OE" "$oecore_branch" meta-openembedded)
    [ -z "$META_VIRTUALIZATION" ] ||
        META_VIRTUALIZATION=$(export_branch "$META_VIRTUALIZATION" "$oecore_branch" meta-virtualization)
else
    machine=$(basename "$(find "$META_TEGRA/conf/machine" -maxdepth 1 -name 'jetson-*.conf' | sort | head -n 1)" .conf)
    case $(grep '^LAYERSERIES_CORENAMES' "$OECORE/meta/conf/layer.conf") in
    *zeus* | *dunfell* | *gatesgarth* | *hardknott*) layer=meta-nvoci-dunfell ;;
    *) layer=meta-nvoci ;;
    esac
fi
machine=${MACHINE:-$machine}
[ $# -gt 0 ] || set -- parse graph swap manifests

build=$WORK/$name/build
mkdir -p "$build/conf"
{
    echo 'BBPATH = "${TOPDIR}"'
    echo 'BBFILES = ""'
    echo "BBLAYERS = \"$OECORE/meta $META_TEGRA $LAYERS/$layer\""
    if [ -n "$META_VIRTUALIZATION" ]; then
        for more in meta-oe meta-python meta-networking meta-filesystems; do
            echo "BBLAYERS += \"$META_OE/$more\""
        done
        echo "BBLAYERS += \"$META_VIRTUALIZATION\""
    fi
} >"$build/conf/bblayers.conf"
# Before honister, overrides have another sign.
sign=:
[ "$layer" = meta-nvoci ] || sign=_
{
    echo "MACHINE = \"$machine\""
    echo "DISTRO_FEATURES${sign}append = \" virtualization\""
    echo 'CONNECTIVITY_CHECK_URIS = ""'
    echo 'CONF_VERSION = "${LOCALCONF_VERSION}"'
    [ -z "${LOCAL_CONF:-}" ] || cat "$LOCAL_CONF"
} >"$build/local.conf"
cp "$build/local.conf" "$build/conf/local.conf"
PATH=$OECORE/scripts:$BITBAKE/bin:$PATH
BUILDDIR=$build
export PATH BUILDDIR

# The value of a variable of nvoci.
value() {
    inside bitbake -e nvoci || fail "bitbake -e nvoci"
    sed -n "s/^$1=\"\(.*\)\"\$/\1/p" "$build/log"
}

has_container_recipes() {
    [ -n "$META_VIRTUALIZATION" ]
}

check_parse() {
    inside bitbake -p || fail "bitbake -p"
    ! grep -q 'ERROR' "$build/log" || fail "errors while parsing"
    license=$(value LICENSE)
    echo "      LICENSE = $license"
}

check_graph() {
    inside bitbake -g nvoci || fail "bitbake -g nvoci"
    ! grep -q 'Nothing R*PROVIDES' "$build/log" || fail "a package that nvoci names does not exist"
    recommended=$(value "RRECOMMENDS${sign}nvoci")
    echo "      recommended: $recommended"
    case " $recommended " in
    *' tegra-libraries-cuda '* | *' tegra-libraries '*) ;;
    *) fail "nvoci does not recommend the package that has libcuda" ;;
    esac
}

check_swap() {
    has_container_recipes || { echo "skip  $name: swap needs META_VIRTUALIZATION and META_OE"; return; }
    {
        cat "$build/local.conf"
        echo 'PREFERRED_RPROVIDER_nvidia-container-toolkit = "nvoci"'
        echo 'PREFERRED_RPROVIDER_nvidia-container-runtime = "nvoci"'
        echo "CORE_IMAGE_EXTRA_INSTALL = \"$1\""
    } >"$build/conf/local.conf"
    inside bitbake -g core-image-minimal || fail "bitbake -g core-image-minimal with $1"
    ! grep -E '^nvidia-container-(toolkit|runtime)$' "$build/pn-buildlist" || fail "the image still builds NVIDIA's stack"
    grep -q '^nvoci$' "$build/pn-buildlist" || fail "the image does not build nvoci"
    cp "$build/local.conf" "$build/conf/local.conf"
}

check_manifests() {
    csv=$(find "$META_TEGRA" -path '*nvidia-container-runtime/l4t.csv' | head -n 1)
    [ -n "$csv" ] || { echo "skip  $name: manifests, this branch is not for L4T 32"; return; }
    lacking=$(grep '^dev' "$csv" | grep -Fxvf "$here/l4t32.csv" || true)
    [ -z "$lacking" ] || fail "packaging/yocto/l4t32.csv lacks: $lacking"
    case $(value "RDEPENDS${sign}nvoci-compat") in
    *nvoci-l4t32-csv*) ;;
    *) fail "nvoci-compat does not bring nvoci-l4t32-csv" ;;
    esac
}

for step; do
    case $step in
    parse) check_parse ;;
    graph) check_graph ;;
    # nvidia-docker is what images of older branches name.
    swap)
        if [ -n "$(find "$META_TEGRA" -name 'nvidia-docker_*.bb')" ]; then
            check_swap nvidia-docker
        else
            check_swap nvidia-container-toolkit
        fi
        ;;
    manifests) check_manifests ;;
    check-layer) inside yocto-check-layer "$LAYERS/$layer" || fail yocto-check-layer ;;
    tasks) inside bitbake nvoci-native nvoci || fail "bitbake nvoci-native nvoci" ;;
    *) echo "unknown step: $step" >&2; exit 2 ;;
    esac
    echo "ok    $name: $step"
done

# The packages of meta-tegra without which a container has no CUDA: the driver's libraries, the manifests, the release
# file, and copies of libraries for images with another C library. Branches differ in what they have, and a package that
# does not exist stops a build, so this looks for the files. L4T 32 has manifests in the libraries' own packages.
def nvoci_tegra_packages(d):
    import glob
    import os

    def has(pattern):
        directories = (d.getVar('BBPATH') or '').split(':')
        return any(glob.glob(os.path.join(path, 'recipes-bsp/tegra-binaries', pattern)) for path in directories)

    cuda = 'tegra-libraries-cuda' if has('tegra-libraries-cuda_*.bb') else 'tegra-libraries'
    others = ('tegra-libraries-nvml', 'nv-tegra-release', 'tegra-container-passthrough')
    packages = [cuda] + [name for name in others if has(name + '_*.bb')]
    if has('tegra-configs/*.csv'):
        packages.append('tegra-configs-container-csv')
    return ' '.join(packages)

NVOCI_TEGRA_RECOMMENDS ?= "${@nvoci_tegra_packages(d)}"
RRECOMMENDS:${PN}:append:tegra = " ${NVOCI_TEGRA_RECOMMENDS}"

# Branches for L4T 32 have this class, and list the device nodes in the package that -compat replaces.
NVOCI_L4T32_CSV = "${@'${PN}-l4t32-csv' if bb.utils.which(d.getVar('BBPATH'), 'classes/container-runtime-csv.bbclass') else ''}"
RDEPENDS:${PN}-compat:append:tegra = " ${NVOCI_L4T32_CSV}"

PACKAGE_ARCH:tegra = "${@d.getVar('TEGRA_PKGARCH') or d.getVar('SOC_FAMILY_PKGARCH')}"

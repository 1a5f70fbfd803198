# nix-build --expr '(import <nixpkgs> { }).pkgsStatic.callPackage ./. { }'
#
# The source archive must be beside this file. pkgsStatic has the static C library that the program is linked with.
{ lib, stdenv }:

stdenv.mkDerivation {
  pname = "nvoci";
  version = "@VERSION@";
  src = ./nvoci-@VERSION@.tar.gz;

  makeFlags = [ "prefix=$(out)" ];
  installTargets = [ "install" "install-compat" ];
  enableParallelBuilding = true;
  # There is no configure script that could take what pkgsStatic passes to one.
  dontConfigure = true;

  # The hook file names the program by its absolute path.
  postInstall = ''
    sed -i "s|/usr/bin/nvoci|$out/bin/nvoci|" $out/share/containers/oci/hooks.d/oci-nvoci-prestart.json
    install -D -m 0644 packaging/config.toml $out/share/doc/nvoci/examples/config.toml
    install -D -m 0644 LICENSE packaging/deb/copyright -t $out/share/licenses/nvoci
  '';

  meta = {
    description = "NVIDIA driver of the host for containers";
    license = with lib.licenses; [ asl20 mit isc bsd3 ];
    platforms = [ "x86_64-linux" "aarch64-linux" ];
    mainProgram = "nvoci";
  };
}

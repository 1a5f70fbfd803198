# What nixpkgs passes to packaging/nix, as far as that expression uses it: its phases, with this machine's tar, make and
# compiler.
{ recipe }:
let
  lib.licenses = { asl20 = "asl20"; mit = "mit"; isc = "isc"; bsd3 = "bsd3"; };
  stdenv.mkDerivation = given: derivation {
    name = "${given.pname}-${given.version}";
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-ec" ''
      tar -xzf $src
      cd nvoci-*
      eval "set -- $(echo "$makeFlags" | tr '()' '{}')"
      make "$@"
      make "$@" $installTargets
      eval "$postInstall"
    '' ];
    PATH = "/usr/bin:/bin";
    CFLAGS = "-O0";
    makeFlags = toString given.makeFlags;
    installTargets = toString given.installTargets;
    inherit (given) src postInstall;
  };
in
import recipe { inherit lib stdenv; }

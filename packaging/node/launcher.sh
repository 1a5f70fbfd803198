#!/bin/sh
# Starts nvoci on Node.js. The build fixes both paths below, because an image may choose $0, PATH and the current
# directory. It may also choose these variables, through which Node.js would run other code.
unset NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_V8_COVERAGE NODE_REDIRECT_WARNINGS NODE_ICU_DATA \
	NODE_COMPILE_CACHE NODE_DEBUG NODE_DEBUG_NATIVE NODE_PENDING_DEPRECATION NODE_REPL_EXTERNAL_MODULE \
	NODE_PRESERVE_SYMLINKS NODE_PRESERVE_SYMLINKS_MAIN NODE_CHANNEL_FD NODE_UNIQUE_ID NODE_TEST_CONTEXT \
	OPENSSL_CONF OPENSSL_MODULES SSL_CERT_FILE SSL_CERT_DIR UV_THREADPOOL_SIZE
# What Node.js hides from the program or changes; nvoci removes these from the environment.
NVOCI_ARGV0=$0
NVOCI_NOFILE=$(ulimit -S -n)
NVOCI_FDS=
for fd in /proc/$$/fd/*; do
	# Skip the directory just listed and the shell's script.
	[ ! -e "$fd" ] || [ "$fd" -ef "$0" ] || NVOCI_FDS="$NVOCI_FDS ${fd##*/}"
done
export NVOCI_ARGV0 NVOCI_NOFILE NVOCI_FDS
exec @NODE@ @PROGRAM@ "$@"

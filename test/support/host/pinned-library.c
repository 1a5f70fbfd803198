/* SPDX-License-Identifier: Apache-2.0 */
/* A shared library for ldconfig(8) to read; a linker flag sets its SONAME. */
int pinned(void) { return 1; }

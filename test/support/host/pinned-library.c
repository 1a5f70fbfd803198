/* SPDX-License-Identifier: Apache-2.0 */
/* A shared library for ldconfig(8) to look at; its SONAME is a flag of the linker. */
int pinned(void) { return 1; }

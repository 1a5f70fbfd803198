/** A device number in its two parts. */
export interface DeviceNumber {
  /** Below 2^12. */
  readonly major: number;
  /** Below 2^20. */
  readonly minor: number;
}

/**
 * The 32 bits by which mknod(2) takes a device number. The kernel drops what does not fit, so that is refused here.
 *
 * @throws RangeError for parts that the kernel cannot have.
 * @see new_encode_dev() in include/linux/kdev_t.h in the Linux source
 */
export function encodeDevice({ major, minor }: DeviceNumber): number {
  if (!(major >= 0 && major < 1 << 12 && minor >= 0 && minor < 1 << 20)) {
    throw new RangeError(`no device number: ${major}:${minor}`);
  }
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

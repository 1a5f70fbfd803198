import { SCM_RIGHTS, SOL_SOCKET } from "./constants.ts";

/** Where the descriptor stands in `control`. */
export const CMSG_DATA = 16;
const CMSG_LENGTH = CMSG_DATA + 4;
const CMSG_SPACE = 24;
const MESSAGE_BYTES = 56;

/** A message for sendmsg(2) or recvmsg(2), and what it points to, which has to stay reachable as long. */
export interface DescriptorMessage {
  readonly message: Uint8Array;
  readonly control: Uint8Array;
  readonly parts: readonly Uint8Array[];
}

/**
 * Writes a `struct msghdr` with one byte of data and room for one descriptor. Both machines lay it out alike.
 *
 * struct msghdr: name, u32 length of the name, iov at 16, count at 24, control at 32, its length at 40, flags at 48.
 * struct cmsghdr: u64 length, s32 level, s32 type.
 *
 * @param fd the number to send, as the sender knows it.
 * @see unix(7), SCM_RIGHTS
 */
export function descriptorMessage(address: (bytes: Uint8Array) => number, fd: number): DescriptorMessage {
  const data = new Uint8Array(1);
  const iov = new Uint8Array(16);
  const iovView = new DataView(iov.buffer);
  iovView.setBigUint64(0, BigInt(address(data)), true);
  iovView.setBigUint64(8, BigInt(data.length), true);

  const control = new Uint8Array(CMSG_SPACE);
  const controlView = new DataView(control.buffer);
  controlView.setBigUint64(0, BigInt(CMSG_LENGTH), true);
  controlView.setInt32(8, SOL_SOCKET, true);
  controlView.setInt32(12, SCM_RIGHTS, true);
  controlView.setInt32(CMSG_DATA, fd, true);

  const message = new Uint8Array(MESSAGE_BYTES);
  const view = new DataView(message.buffer);
  view.setBigUint64(16, BigInt(address(iov)), true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, BigInt(address(control)), true);
  view.setBigUint64(40, BigInt(CMSG_SPACE), true);
  return { message, control, parts: [data, iov, control] };
}

import { NvociError } from "../model/errors.ts";
import { quote } from "../model/quote.ts";
import { splitList } from "../model/split-list.ts";

/** Channels that the driver can have: `NV_MAX_IMEX_CHANNELS` bounds the minor numbers. */
const CHANNEL_LIMIT = 1 << 20;

/**
 * Channels that one container gets. A job is given one, and each costs a device node, a mount and a rule; what comes
 * from an image must not decide how many of those the host has.
 */
const MOST_CHANNELS = 64;

/**
 * @param source who asks, for the error.
 * @throws NvociError `request-invalid` for more channels than one container gets.
 */
export function checkChannelCount(channels: readonly number[], source: string): void {
  if (channels.length <= MOST_CHANNELS) return;
  throw new NvociError(
    "request-invalid",
    `Cannot give ${channels.length} IMEX channels to the container: ${source} may ask for ${MOST_CHANNELS} at most`,
  );
}

/** The number of an IMEX channel, or nothing where the text is no decimal number below 2^20. */
export function readImexChannel(text: string): number | undefined {
  if (!/^\d{1,7}$/.test(text)) return undefined;
  const channel = Number(text);
  return channel < CHANNEL_LIMIT ? channel : undefined;
}

/**
 * Reads `NVIDIA_IMEX_CHANNELS`. The single word `all` asks for none, because there are a million of them.
 *
 * @throws NvociError `request-invalid`
 */
export function readImexChannels(value: string): readonly number[] {
  const words = splitList(value);
  if (words.length === 1 && words[0] === "all") return [];
  const channels = words.map((word) => {
    const channel = readImexChannel(word);
    if (channel !== undefined) return channel;
    throw new NvociError(
      "request-invalid",
      `Cannot use channel ${quote(word)} of NVIDIA_IMEX_CHANNELS: channels are numbers below ${CHANNEL_LIMIT}`,
    );
  });
  return [...new Set(channels)];
}

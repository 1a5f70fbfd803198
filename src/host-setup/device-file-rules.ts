/** How the driver wants its device files to be, as the administrator has told it. */
export interface DeviceFileRules {
  /** Whether programs may make and remove them. */
  readonly modify: boolean;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
  /** Of the one file that the text is about; `undefined` in the parameters of the whole driver. */
  readonly minor: number | undefined;
  /** How many IMEX channels the driver has; only the parameters of the whole driver say so. */
  readonly imexChannelCount: number;
}

/** What the driver has by itself. */
const IMEX_CHANNELS = 2048;

/** One line of either file. Every value is decimal, the mode too. */
const FIELD = /^([A-Za-z]+): *(\d{1,10})$/;

/**
 * Reads `/proc/driver/nvidia/params`, or the file of one capability. What is not said holds as the driver has it by
 * itself: root's, and everybody may open it.
 *
 * @see "How can I set the permissions of the NVIDIA device files?" in the README of NVIDIA's driver
 */
export function parseDeviceFileRules(text: string): DeviceFileRules {
  const fields = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, value] = FIELD.exec(line.trim()) ?? [];
    if (name !== undefined) fields.set(name, Number(value));
  }
  return {
    modify: (fields.get("ModifyDeviceFiles") ?? fields.get("DeviceFileModify")) !== 0,
    uid: fields.get("DeviceFileUID") ?? 0,
    gid: fields.get("DeviceFileGID") ?? 0,
    mode: (fields.get("DeviceFileMode") ?? 0o666) & 0o777,
    minor: fields.get("DeviceFileMinor"),
    imexChannelCount: fields.get("ImexChannelCount") ?? IMEX_CHANNELS,
  };
}

import { amounts } from "./amounts.ts";
import type { Attack } from "./attack.ts";
import { bundles } from "./bundles.ts";
import { errors } from "./errors.ts";
import { hostFiles } from "./host-files.ts";
import { images } from "./images.ts";
import { kills } from "./kills.ts";
import { races } from "./races.ts";

/** All attacks, in order. */
export const ATTACKS: readonly Attack[] = [races, kills, errors, images, bundles, hostFiles, amounts];
